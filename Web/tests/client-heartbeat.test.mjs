import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./support.mjs";

test("a ping when the connection opens, and then every 25 seconds", async () => {
  const world = new World();
  await world.connect();
  assert.deepEqual(world.socket.sent, [{ ping: 1 }]);
  for (const expected of [2, 3, 4]) {
    world.clock.advance(24_999);
    assert.equal(world.socket.pings.length, expected - 1);
    world.clock.advance(1);
    assert.equal(world.socket.pings.at(-1), expected);
    world.socket.pong();
  }
  assert.equal(world.client.state, "connected");
});

test("without an answer within 10 seconds the connection is given up", async () => {
  const world = new World();
  await world.connect();
  world.clock.advance(25_000);
  world.clock.advance(9_999);
  assert.equal(world.client.state, "connected");
  world.clock.advance(1);
  assert.equal(world.client.state, "reconnecting");
  assert.equal(world.socket.closedWith, 4002);
  world.clock.advance(250);
  await world.accept();
  assert.equal(world.client.state, "connected");
  assert.equal(world.sockets.length, 2);
});

test("a server that accepts and then says nothing counts as lost", () => {
  const world = new World();
  world.client.connect();
  world.socket.accept();
  world.clock.advance(10_000);
  assert.equal(world.client.state, "reconnecting");
});

test("answers to other pings, and events, do not count as the answer", async () => {
  const world = new World();
  world.listen("order");
  await world.connect();
  world.clock.advance(25_000);
  for (const value of [1, 0, 77]) world.socket.say({ pong: value });
  world.socket.event("order");
  world.clock.advance(10_000);
  assert.equal(world.client.state, "reconnecting");
});

test("an answer that is late but in time is enough", async () => {
  const world = new World();
  await world.connect();
  for (let count = 0; count < 20; count++) {
    world.clock.advance(25_000 - (count === 0 ? 0 : 9_999));
    world.clock.advance(9_999);
    world.socket.pong();
  }
  assert.equal(world.client.state, "connected");
});

test("each connection counts its pings from one", async () => {
  const world = new World();
  await world.connect();
  world.clock.advance(25_000);
  world.socket.pong();
  await world.reconnect();
  assert.deepEqual(world.socket.pings, [1]);
});

test("interval and timeout are options", async () => {
  const world = new World({ heartbeatInterval: 1_000, heartbeatTimeout: 200 });
  await world.connect();
  world.clock.advance(1_000);
  assert.equal(world.socket.pings.length, 2);
  world.clock.advance(200);
  assert.equal(world.client.state, "reconnecting");
});

test("nothing runs on after the connection is gone", async () => {
  const world = new World();
  await world.connect();
  world.clock.advance(25_000);
  world.client.disconnect();
  assert.deepEqual(world.clock.pending, []);
});
