// The local server of the dashboard has the user's credentials: only the browser that the user opened may use them.
import { expect, test } from "vitest";
import { gate, type GateRequest } from "../../cli/client/browser-gate.ts";

const secrets = { authority: "127.0.0.1:4001", token: "token-of-one-use", session: "session-of-the-cookie" };
const cookie = "orrery-4001=session-of-the-cookie";
const request = (headers: GateRequest["headers"], url = "/api/v1/pods"): GateRequest => ({
  url,
  headers: { host: secrets.authority, ...headers },
});
const outcome = (r: GateRequest, tokenUsed = false): string => {
  const decision = gate(r, secrets, tokenUsed);
  return decision.kind === "refuse" ? String(decision.status) : decision.kind;
};

test.each<[string, GateRequest["headers"], string]>([
  ["the page itself", { cookie, origin: "http://127.0.0.1:4001", "sec-fetch-site": "same-origin" }, "accept"],
  ["an address typed by the user", { cookie, "sec-fetch-site": "none" }, "accept"],
  ["a client without the headers of a browser", { cookie }, "accept"],
  ["the cookie among others", { cookie: `a=b; ${cookie}; c=d` }, "accept"],
  ["a fetch", { cookie, "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty" }, "accept"],
  ["a response of the API as a page", { cookie, "sec-fetch-site": "none", "sec-fetch-dest": "document" }, "403"],
  ["a response of the API as a script", { cookie, "sec-fetch-site": "same-origin", "sec-fetch-dest": "script" }, "403"],
  ["no cookie", {}, "401"],
  ["a cookie of another value", { cookie: "orrery-4001=other" }, "401"],
  ["a cookie of another port", { cookie: "orrery-4002=session-of-the-cookie" }, "401"],
  ["another site", { cookie, origin: "http://evil.example", "sec-fetch-site": "cross-site" }, "403"],
  ["another port of this host", { cookie, origin: "http://127.0.0.1:8080", "sec-fetch-site": "same-site" }, "403"],
  ["a page without an origin", { cookie, origin: "null" }, "403"],
  ["an image of another site, which has no origin", { cookie, "sec-fetch-site": "cross-site" }, "403"],
  ["a name that resolves to this host", { cookie, host: "evil.example:4001" }, "403"],
  ["another name of this host", { cookie, host: "localhost:4001" }, "403"],
])("%s", (_, headers, expected) => {
  expect(outcome(request(headers))).toBe(expected);
});

test("the token signs in once, on the page's own path, and never by a foreign name", () => {
  const url = "/dashboard/?token=token-of-one-use";
  expect(outcome(request({}, url))).toBe("sign-in");
  expect(outcome(request({}, url), true)).toBe("401");
  expect(outcome(request({}, "/dashboard/?token=other"))).toBe("401");
  expect(outcome(request({}, "/api/v1/pods?token=token-of-one-use"))).toBe("401");
  expect(outcome(request({ host: "evil.example:4001" }, url))).toBe("403");
  expect(outcome(request({ origin: "http://evil.example" }, url))).toBe("403");
});

test("scripts and other sites do not get the cookie", () => {
  const decision = gate(request({}, "/dashboard/?token=token-of-one-use"), secrets, false);
  expect(decision).toMatchObject({ kind: "sign-in", cookie: `${cookie}; HttpOnly; SameSite=Strict; Path=/` });
});
