// Which requests `proxy` accepts, and where their paths lead; the answers are those of kubectl 1.36.
import { expect, test } from "vitest";
import { apiPathOf, defaultPatterns, proxyFilter, redirectOf } from "../../../../cli/client/proxy-rules.ts";

const at = (path: string, more: { readonly method?: string; readonly host?: string } = {}) => ({
  method: "GET",
  host: "localhost:8001",
  path,
  ...more,
});

test.each([
  [at("/version"), true],
  [at(""), true],
  [at("/api/v1/namespaces/default/pods/web/exec"), false],
  [at("/api/v1/namespaces/default/pods/web/attach"), false],
  [at("/api/v1/namespaces/default/pods/web/log"), true],
  [at("/api/v1/namespaces", { method: "POST" }), true],
  [at("/version", { host: "127.0.0.1" }), true],
  [at("/version", { host: "127.0.0.1:80" }), true],
  [at("/version", { host: "[::1]:80" }), true],
  [at("/version", { host: "evil.com" }), false],
  [at("/version", { host: "LOCALHOST" }), false],
  [at("/version", { host: "localhost.evil.com:8001" }), false],
])("%j: %s", (request, isAccepted) => expect(proxyFilter(defaultPatterns)(request)).toBe(isAccepted));

test.each([
  [{ rejectMethods: "POST,PUT" }, at("/x", { method: "PUT" }), false],
  [{ rejectMethods: "" }, at("/x"), true],
  [{ acceptPaths: "^/api/v1" }, at("/apis"), false],
  [{ acceptPaths: "(?i)^/API" }, at("/apis"), true],
  [{ acceptHosts: ".*" }, at("/x", { host: "evil.com" }), true],
  [{ acceptHosts: "" }, at("/x"), false],
  [{ acceptPaths: ".*", rejectPaths: "secrets" }, at("/api/v1/secrets"), false],
])("%j %j: %s", (rules, request, isAccepted) =>
  expect(proxyFilter({ ...defaultPatterns, ...rules })(request)).toBe(isAccepted),
);
test.each(["[", "*"])("%s is no pattern", (acceptPaths) =>
  expect(() => proxyFilter({ ...defaultPatterns, acceptPaths })).toThrow(/^Error compiling re: /),
);

test.each([
  ["/version", "/", "/version"],
  ["/", "/", "/"],
  ["/custom/api/v1", "/custom/", "/api/v1"],
  ["/api/v1/pods", "/api/", "/api/v1/pods"],
  ["/version", "/custom/", undefined],
])("%s below %s is %s", (path, prefix, apiPath) => expect(apiPathOf(path, prefix)).toBe(apiPath));

test.each([
  ["//version", "/version"],
  ["/api/../version", "/version"],
  ["/static/../../../etc/passwd", "/etc/passwd"],
  ["/static", "/static/"],
  ["/static/", undefined],
  ["/version", undefined],
])("%s is redirected to %s", (path, to) => expect(redirectOf(path, ["/", "/static/"])).toBe(to));
