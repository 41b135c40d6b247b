/// What Redis does as one step each: what happens in a script is seen by nobody half-way, and published in its order.
///
/// All of it is about the keys of one log:
///
/// - a hash: `epoch` and `offset`, the newest position; `life`, the identity of the server's data that the epoch belongs to;
///   `floor`, the offset after which every event is younger than what is kept, with `mark` and `marked` from which the next
///   floor is made; `evicted`, how many keys the server had given up for lack of memory.
/// - for each request that may come again a hash: its `fingerprint`, and the positions of its events by their places; and
///   a list of those hashes' names, the oldest first.
/// - for each channel a stream of its newest events, with their offsets as identifiers, and the offset before on the channel.
enum RedisScripts {
    /// Makes the log if there is none, and a new epoch if its data is not what it was.
    private static let opening = """
        local function now()
            local time = redis.call('TIME')
            return time[1] * 1000 + math.floor(time[2] / 1000)
        end
        local function number(value) return string.format('%.0f', tonumber(value) or 0) end
        local function begin(log, epoch, offset)
            redis.call('HSET', log, 'epoch', epoch, 'offset', offset, 'floor', offset, 'mark', offset, 'marked', number(now()))
            return epoch
        end

        """

    /// Gives an event a position, keeps it, and publishes it: on each of its channels.
    private static let telling =
        opening + """
            local function tell(streams, channels)
                local log = KEYS[1]
                local epoch = redis.call('HGET', log, 'epoch') or begin(log, ARGV[1], '0')
                local offset = number(redis.call('HINCRBY', log, 'offset', 1))
                for place = streams, #KEYS do
                    local stream = KEYS[place]
                    local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
                    local before = last and string.match(last[1], '^%d+') or '0'
                    -- The stream of a log that was lost.
                    if tonumber(before) >= tonumber(offset) then
                        redis.call('DEL', stream)
                        before = '0'
                    end
                    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[2], offset .. '-0', 'before', before, 'event', ARGV[3])
                    local channel = channels + 2 * (place - streams)
                    redis.call('PEXPIRE', stream, ARGV[channel + 1])
                    local head = '{"position":"' .. epoch .. ':' .. offset .. '","before":' .. before .. ','
                    redis.call('PUBLISH', ARGV[channel], head .. ARGV[3])
                end
                return epoch .. ':' .. offset
            end

            """

    /// Publishes an event.
    ///
    /// `KEYS`: the log, then the stream of each channel. `ARGV`: an epoch for a new log, how many events are kept, the
    /// event's body, then for each channel what is published on, and for how many milliseconds its events are kept.
    static let publish = telling + "return tell(2, 4)"

    /// Publishes an event of a request, unless that was done before.
    ///
    /// `KEYS`: the log, what is known of the request, the names of all that is known, then the stream of each channel. `ARGV`:
    /// as for ``publish``, but before the channels: the request's fingerprint, the event's place in it, for how many
    /// milliseconds it is known, how many requests are. Gives the position, or `reused`.
    static let publishOnce =
        telling + """
            local request, requests = KEYS[2], KEYS[3]
            local known = redis.call('HMGET', request, 'fingerprint', ARGV[5])
            if known[1] and known[1] ~= ARGV[4] then return 'reused' end
            if known[2] then return known[2] end
            -- What telling does not need comes first: who may not do this tells nobody.
            if not known[1] then
                redis.call('RPUSH', requests, request)
                redis.call('PEXPIRE', requests, ARGV[6])
                -- Of more than may be known the oldest is forgotten.
                if redis.call('LLEN', requests) > tonumber(ARGV[7]) then
                    redis.call('DEL', redis.call('LPOP', requests))
                end
            end
            local position = tell(4, 8)
            redis.call('HSET', request, 'fingerprint', ARGV[4], ARGV[5], position)
            if not known[1] then redis.call('PEXPIRE', request, ARGV[6]) end
            return position
            """

    /// Moves the floor: it is an offset that the log had between once and twice as long ago as is told to who comes back.
    private static let aging = """
        local function age(log, span)
            local times = redis.call('HMGET', log, 'marked', 'mark', 'offset')
            local elapsed = now() - (tonumber(times[1]) or 0)
            if elapsed >= 0 and elapsed <= span / 2 then return end
            -- Nobody has looked for too long, or the clock was set back: what was kept may be gone.
            local floor = (elapsed < 0 or elapsed > span) and times[3] or times[2]
            redis.call('HSET', log, 'floor', floor or times[3], 'mark', times[3], 'marked', number(now()))
        end

        """

    /// Publishes to the caller alone where the log stands: a barrier, and a probe. Writes, so that a replica refuses it.
    ///
    /// `KEYS`: the log, then for each channel that becomes live what says that somebody has published past the log. `ARGV`: an
    /// epoch for a new log, what is published on, a token that comes back, how many milliseconds back is told to who comes
    /// back. The token is followed by the position and the places of the channels of which it is said.
    static let barrier =
        opening + aging + """
            local log = KEYS[1]
            local replication = redis.call('INFO', 'replication')
            if string.find(replication, 'role:slave', 1, true) then
                return redis.error_reply('READONLY this is a replica')
            end
            local life = string.match(replication, 'master_replid:(%w+)') or ''
            local known = redis.call('HMGET', log, 'epoch', 'offset', 'life')
            local epoch, offset = known[1], known[2] or '0'
            -- After a restart or a failover the newest events may be missing, and their offsets would be given again.
            if not epoch or (known[3] and known[3] ~= life) then epoch = begin(log, ARGV[1], offset) end
            redis.call('HSET', log, 'life', life)
            age(log, tonumber(ARGV[4]))
            local position = epoch .. ':' .. offset
            local answer = {ARGV[3], position}
            for place = 2, #KEYS do
                if redis.call('EXISTS', KEYS[place]) == 1 then answer[#answer + 1] = place - 2 end
            end
            redis.call('PUBLISH', ARGV[2], table.concat(answer, ' '))
            return position
            """

    /// Begins a new epoch, if the log is still of the one that is told.
    ///
    /// `KEYS`: the log. `ARGV`: the new epoch, the old one.
    static let renew =
        opening + """
            local log = KEYS[1]
            local known = redis.call('HMGET', log, 'epoch', 'offset')
            if known[1] == ARGV[2] then begin(log, ARGV[1], known[2]) end
            return redis.call('HGET', log, 'epoch')
            """

    /// What happened on a channel after an offset.
    ///
    /// `KEYS`: the log, the channel's stream, what says that somebody has published past the log. `ARGV`: an epoch for a new
    /// log, the epoch of the reader, the offset, how many events are read, how many milliseconds back is told. Gives the
    /// head, then `events` and those, or why they are not known.
    static let read =
        opening + aging + """
            local log = KEYS[1]
            local epoch = redis.call('HGET', log, 'epoch') or begin(log, ARGV[1], '0')
            local evicted = string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)') or '0'
            age(log, tonumber(ARGV[5]))
            local known = redis.call('HMGET', log, 'offset', 'floor', 'evicted')
            -- Streams may be among what was given up.
            if (known[3] or '0') ~= evicted then
                redis.call('HSET', log, 'floor', known[1])
                known[2] = known[1]
            end
            redis.call('HSET', log, 'evicted', evicted)
            local head = epoch .. ':' .. known[1]
            local since = tonumber(ARGV[3])
            if epoch ~= ARGV[2] then return {head, 'epoch'} end
            if since > tonumber(known[1]) or since < tonumber(known[2] or known[1]) then return {head, 'gap'} end
            if redis.call('EXISTS', KEYS[3]) == 1 then return {head, 'gap'} end
            local found = redis.call('XRANGE', KEYS[2], '(' .. ARGV[3] .. '-0', '+', 'COUNT', ARGV[4])
            if found[1] and tonumber(found[1][2][2]) > since then return {head, 'gap'} end
            return {head, 'events', found}
            """

    /// The newest event of a channel.
    ///
    /// `KEYS`: the log, the channel's stream. Gives the epoch and the entry, or nothing.
    static let newest = """
        local found = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
        return {redis.call('HGET', KEYS[1], 'epoch') or '', found[1]}
        """

    static let all = [publish, publishOnce, barrier, renew, read, newest]
}
