import Testing

@testable import TidingsQuery

@Suite("Defaults")
struct DefaultsTests {
    let bench = Bench { $0.defaults = QueryOptions { $0.staleTime = .seconds(1) } }
    let query = Query<Int>(key: ["a", "b", 1])

    @Test("the client's apply where nobody says anything")
    func client() {
        #expect(bench.client.options(of: query).staleTime == .seconds(1))
    }

    @Test("those of a key win over the client's")
    func key() {
        bench.client.setDefaults(QueryOptions { $0.staleTime = .seconds(2) }, for: ["a"])
        #expect(bench.client.options(of: query).staleTime == .seconds(2))
        #expect(bench.client.options(of: Query<Int>(key: ["b"])).staleTime == .seconds(1))
    }

    @Test("of several that match, the later one wins, option by option")
    func order() {
        bench.client.setDefaults(
            QueryOptions {
                $0.staleTime = .seconds(2)
                $0.gcTime = .seconds(20)
            },
            for: ["a", "b"]
        )
        bench.client.setDefaults(QueryOptions { $0.staleTime = .seconds(3) }, for: ["a"])
        #expect(bench.client.options(of: query).staleTime == .seconds(3))
        #expect(bench.client.options(of: query).gcTime == .seconds(20))
    }

    @Test("the query's own win over all")
    func explicit() {
        bench.client.setDefaults(QueryOptions { $0.staleTime = .seconds(2) }, for: ["a"])
        #expect(bench.client.options(of: query.with { $0.staleTime = .zero }).staleTime == .zero)
    }

    @Test("set again they keep their place")
    func replace() {
        bench.client.setDefaults(QueryOptions { $0.staleTime = .seconds(2) }, for: ["a"])
        bench.client.setDefaults(QueryOptions { $0.staleTime = .seconds(3) }, for: ["a", "b"])
        bench.client.setDefaults(QueryOptions { $0.staleTime = .seconds(4) }, for: ["a"])
        #expect(bench.client.options(of: query).staleTime == .seconds(3))
    }

    @Test("the client's can be changed")
    func changeClient() {
        bench.client.setDefaults(QueryOptions { $0.gcTime = .infinite })
        #expect(bench.client.options(of: query).staleTime == nil)
        #expect(bench.client.options(of: query).gcTime == .infinite)
    }

    @Test("every option is completed")
    func completed() {
        let full = QueryOptions {
            $0.staleTime = .infinite
            $0.gcTime = .infinite
            $0.retry = .never
            $0.networkMode = .always
            $0.refetchOnMount = .always
            $0.refetchOnFocus = .never
            $0.refetchOnReconnect = .always
            $0.retryOnMount = false
            $0.refetchInterval = .every(.seconds(1))
            $0.refetchesInBackground = true
            $0.cancelsWhenUnobserved = true
            $0.isPersisted = false
        }
        let completed = QueryOptions().completed(by: full)
        #expect(completed.staleTime == .infinite)
        #expect(completed.gcTime == .infinite)
        #expect(completed.retry?.retries == 0)
        #expect(completed.networkMode == .always)
        #expect(completed.refetchOnMount == .always)
        #expect(completed.refetchOnFocus == .never)
        #expect(completed.refetchOnReconnect == .always)
        #expect(completed.retryOnMount == false)
        #expect(completed.refetchInterval == .every(.seconds(1)))
        #expect(completed.refetchesInBackground == true)
        #expect(completed.cancelsWhenUnobserved == true)
        #expect(completed.isPersisted == false)
    }

    @Test("they count for fetches and observers")
    func applied() {
        let server = FakeServer<Int>()
        bench.client.setDefaults(QueryOptions { $0.staleTime = .infinite }, for: ["a"])
        bench.client.setData(1, for: server.query(["a", 1]))
        bench.advance(.seconds(60))
        bench.observer(server.query(["a", 1]))
        #expect(bench.fetch(server.query(["a", 1])).value == 1)
        #expect(server.count == 0)
    }
}

@Suite("Batches")
struct BatchTests {
    let bench = Bench()

    @Test("several changes are told once")
    func once() {
        let query = Query<Int>(key: ["a"])
        let recorded = bench.record(bench.observer(query))
        let changes = Log<Int>()
        bench.client.batch {
            for number in 1...5 {
                bench.client.setData(number, for: query)
                bench.settle()
                changes.add(recorded.count)
            }
        }
        bench.settle()
        #expect(changes.entries == [1, 1, 1, 1, 1])
        #expect(recorded.elements.map(\.data) == [nil, 5])
    }

    @Test("within one another they end with the outermost")
    func nested() {
        let query = Query<Int>(key: ["a"])
        let recorded = bench.record(bench.observer(query))
        bench.client.batch {
            bench.client.batch { bench.client.setData(1, for: query) }
            bench.settle()
            #expect(recorded.count == 1)
            bench.client.setData(2, for: query)
        }
        bench.settle()
        #expect(recorded.count == 2)
    }

    @Test("an error ends them too")
    func throwing() {
        let query = Query<Int>(key: ["a"])
        let recorded = bench.record(bench.observer(query))
        #expect(throws: TestError.self) {
            try bench.client.batch {
                bench.client.setData(1, for: query)
                throw TestError()
            }
        }
        bench.settle()
        #expect(recorded.last?.data == 1)
    }

    @Test("what they return comes back")
    func returns() {
        #expect(bench.client.batch { 7 } == 7)
    }
}
