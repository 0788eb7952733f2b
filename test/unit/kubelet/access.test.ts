// How long the kubelet remembers whom the API server has let in: reviews are counted under a virtual clock.
import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { ApiObject } from "../../../api/meta.ts";
import { kubeletAccess } from "../../../kubelet/server/access.ts";
import type { Client } from "../../../machinery/client.ts";
import { server } from "../controllers/running.ts";

interface Reviewer {
  /** Users by their tokens. */
  users: Record<string, string>;
  /** Users that may do everything. */
  allowed: string[];
  isDown: boolean;
  count: Record<string, number>;
}

async function reviewed() {
  const running = await server();
  const state: Reviewer = { users: {}, allowed: [], isDown: false, count: {} };
  const create = async (r: { readonly kind: string }, draft: unknown): Promise<ApiObject> => {
    state.count[r.kind] = (state.count[r.kind] ?? 0) + 1;
    if (state.isDown) throw new Error("unreachable");
    const { spec } = draft as { readonly spec: { readonly token: string; readonly user: string } };
    const name = state.users[spec.token];
    const status =
      r.kind === "TokenReview"
        ? { authenticated: name !== undefined, user: { username: name, groups: [] } }
        : { allowed: state.allowed.includes(spec.user) };
    return { status } as unknown as ApiObject;
  };
  const client = { ...running.client, create } as unknown as Client;
  const check = kubeletAccess({ client, world: running.world, nodeName: "n1" });
  const socket = { authorized: false, getPeerCertificate: () => ({}) };
  const outcome = (token: string, url = "/metrics"): Promise<number | string> => {
    const request = { method: "GET", url, headers: { authorization: `Bearer ${token}` }, socket };
    return check(request as unknown as IncomingMessage).then(
      () => "allowed",
      (e: { readonly status: number }) => e.status,
    );
  };
  return { state, outcome, pass: running.pass };
}

test("a user is remembered for two minutes, what they may do for five", async () => {
  const { state, outcome, pass } = await reviewed();
  state.users = { t: "ann" };
  state.allowed = ["ann"];
  expect(await outcome("t")).toBe("allowed");
  await pass(119);
  expect(await outcome("t")).toBe("allowed");
  expect(state.count).toEqual({ TokenReview: 1, SubjectAccessReview: 1 });
  await pass(2);
  state.allowed = [];
  expect(await outcome("t")).toBe("allowed");
  expect(state.count).toEqual({ TokenReview: 2, SubjectAccessReview: 1 });
  await pass(178);
  expect(await outcome("t")).toBe("allowed");
  await pass(2);
  expect(await outcome("t")).toBe(403);
});

test("a refusal is remembered for half a minute", async () => {
  const { state, outcome, pass } = await reviewed();
  state.users = { t: "ann" };
  expect(await outcome("t")).toBe(403);
  state.allowed = ["ann"];
  await pass(29);
  expect(await outcome("t")).toBe(403);
  await pass(2);
  expect(await outcome("t")).toBe("allowed");
});

test("decisions are those of one user, verb and subresource", async () => {
  const { state, outcome } = await reviewed();
  state.users = { a: "ann", b: "bob" };
  state.allowed = ["ann"];
  expect(await outcome("a")).toBe("allowed");
  expect(await outcome("b")).toBe(403);
  expect(await outcome("a", "/stats/summary")).toBe("allowed");
  expect(state.count["SubjectAccessReview"]).toBe(3);
});

test("an invalid token is remembered, and counts when it is valid two minutes later", async () => {
  const { state, outcome, pass } = await reviewed();
  expect(await outcome("t")).toBe(401);
  state.users = { t: "ann" };
  state.allowed = ["ann"];
  expect(await outcome("t")).toBe(401);
  await pass(121);
  expect(await outcome("t")).toBe("allowed");
});

test("while the API server does not respond, only who is known gets in; the failure is not remembered", async () => {
  const { state, outcome } = await reviewed();
  state.users = { t: "ann", u: "ann" };
  state.allowed = ["ann"];
  expect(await outcome("t")).toBe("allowed");
  state.isDown = true;
  expect(await outcome("t")).toBe("allowed");
  expect(await outcome("u")).toBe(401);
  expect(await outcome("t", "/stats/summary")).toBe(500);
  state.isDown = false;
  expect(await outcome("u")).toBe("allowed");
  expect(await outcome("t", "/stats/summary")).toBe("allowed");
});
