/// The pages of a list that goes on, and how each was asked for.
public struct InfiniteData<Page: Sendable, Cursor: Sendable>: Sendable {
    /// The pages, in the order of the list.
    public var pages: [Page]
    /// For each page, the cursor with which it was fetched; nil if it was asked for without.
    public var cursors: [Cursor?]

    /// Makes data of pages and their cursors; there have to be as many of one as of the other.
    public init(pages: [Page] = [], cursors: [Cursor?] = []) {
        self.pages = pages
        self.cursors = cursors
    }

    mutating func append(_ page: Page, _ cursor: Cursor?, most: Int?) {
        pages.append(page)
        cursors.append(cursor)
        guard let most, pages.count > most else { return }
        pages.removeFirst()
        cursors.removeFirst()
    }

    mutating func prepend(_ page: Page, _ cursor: Cursor?, most: Int?) {
        pages.insert(page, at: 0)
        cursors.insert(cursor, at: 0)
        guard let most, pages.count > most else { return }
        pages.removeLast()
        cursors.removeLast()
    }
}

extension InfiniteData: Equatable where Page: Equatable, Cursor: Equatable {}
extension InfiniteData: Hashable where Page: Hashable, Cursor: Hashable {}
extension InfiniteData: Encodable where Page: Encodable, Cursor: Encodable {}
extension InfiniteData: Decodable where Page: Decodable, Cursor: Decodable {}
