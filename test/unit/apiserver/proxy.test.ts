// Proxies: request paths, backends, and rewritten headers and links.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Service } from "../../../api/core/services.ts";
import { requestHeaders, responseHeaders, throughProxy } from "../../../apiserver/proxy/proxy.ts";
import { rewriteLinks } from "../../../apiserver/proxy/pages.ts";
import { cleaned, namedIn, proxyPath, candidatesIn, isProxyable, portName } from "../../../apiserver/proxy/target.ts";

describe("paths", () => {
  test.each([
    ["/api/v1/nodes/n1/proxy", "nodes in undefined: n1 requests ''"],
    ["/api/v1/nodes/n1:10250/proxy/pods", "nodes in undefined: n1:10250 requests '/pods'"],
    ["/api/v1/namespaces/x/pods/https:web:443/proxy/a/b/", "pods in x: https:web:443 requests '/a/b/'"],
    ["/api/v1/namespaces/x/services/http%3Aweb%3Aui/proxy/", "services in x: http:web:ui requests '/'"],
    ["/api/v1/namespaces/x/configmaps/c/proxy", "nothing"],
    ["/api/v1/namespaces/x/pods/web/log", "nothing"],
    ["/api/v1/pods/web/proxy", "nothing"],
    ["/api/v1/namespaces/x/pods/%/proxy", "nothing"],
  ])("%s is parsed as %s", (path, expected) => {
    const p = proxyPath(path);
    expect(p ? `${p.plural} in ${p.namespace}: ${p.id} requests '${p.rest}'` : "nothing").toBe(expected);
  });
  test.each([
    ["", ""],
    ["/", "/"],
    ["//a//b", "/a/b"],
    ["/a/../../b/", "/b/"],
    ["/a%20b/c:d@e", "/a%20b/c:d@e"],
    ["/it's(1)", "/it%27s%281%29"],
  ])("%s is requested as %s", (path, clean) => expect(cleaned(path)).toBe(clean));
  test("a cleaned path has no parent segments", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("..", ".", "", "a", "%2e%2e")), (steps) => {
        expect(cleaned(`/${steps.join("/")}`)).not.toMatch(/\/\.\.?(\/|$)|\/\//);
      }),
    );
  });
  test.each([
    ["web", { scheme: "", name: "web", port: "" }],
    ["web:80", { scheme: "", name: "web", port: "80" }],
    ["https:web:", { scheme: "https", name: "web", port: "" }],
    ["ftp:web:21", undefined],
    [":80", undefined],
    ["a:b:c:d", undefined],
  ])("%s is parsed as %o", (id, named) => expect(namedIn(id)).toEqual(named));
});

describe("backends", () => {
  const service = (ports: object[]) => ({ metadata: { name: "web" }, spec: { ports } }) as unknown as Service;
  test("a service port by number or name", () => {
    expect(portName(service([{ port: 80, name: "ui" }]), "80")).toBe("ui");
    expect(portName(service([{ port: 80 }]), "80")).toBe("");
    expect(portName(service([]), "ui")).toBe("ui");
    expect(() => portName(service([]), "80")).toThrow('no service port 80 found for service "web"');
  });
  test("only ready endpoints that serve the port", () => {
    const endpoint = (ip: string, ready?: boolean) => ({
      addresses: [ip],
      conditions: { ready },
      targetRef: { kind: "Pod", name: ip },
    });
    const slice = {
      ports: [
        { name: "ui", port: 8080 },
        { name: "other", port: 1 },
      ],
      endpoints: [endpoint("10.0.0.1", true), endpoint("10.0.0.2", false), endpoint("10.0.0.3")],
    };
    expect(candidatesIn([slice as never], "ui").map(({ ip, port }) => `${ip}:${port}`)).toEqual([
      "10.0.0.1:8080",
      "10.0.0.3:8080",
    ]);
  });
  test.each([
    ["10.244.1.2", true],
    ["127.0.0.1", false],
    ["169.254.169.254", false],
    ["224.0.0.1", false],
    ["::1", false],
    ["fe80::1", false],
    ["fd00::1", true],
  ])("%s: %s", (ip, may) => expect(isProxyable(ip)).toBe(may));
});

const original = { host: "api:6443", prefix: "/api/v1/namespaces/x/pods/web/proxy", from: "10.0.0.9" };

describe("headers", () => {
  test("hop-by-hop and authentication headers are not forwarded", () => {
    const headers = {
      host: "api:6443",
      connection: "keep-alive, x-mine",
      "x-mine": "1",
      "keep-alive": "timeout=5",
      authorization: "Bearer secret",
      "impersonate-user": "root",
      ":path": "/",
      accept: "text/html",
      "x-forwarded-for": "1.2.3.4",
    };
    expect(requestHeaders(headers, original, "/a/")).toEqual({
      accept: "text/html",
      host: "api:6443",
      "x-forwarded-for": "1.2.3.4, 10.0.0.9",
      "x-forwarded-uri": "/api/v1/namespaces/x/pods/web/proxy/a/",
    });
  });
  test("hop-by-hop and CORS headers of a response are not forwarded", () =>
    expect(
      responseHeaders({
        connection: ["x-hop"],
        "x-hop": ["1"],
        "transfer-encoding": ["chunked"],
        "access-control-allow-origin": ["*"],
        "content-type": ["text/plain"],
        "set-cookie": ["a=1", "b=2"],
      }),
    ).toEqual({ "content-type": "text/plain", "set-cookie": ["a=1", "b=2"] }));
  test.each([
    ["/there", `${original.prefix}/there`],
    ["/there/?a=1#b", `${original.prefix}/there/?a=1#b`],
    ["http://10.0.0.1:80/there", `${original.prefix}/there`],
    ["https://api:6443/there", `https://api:6443${original.prefix}/there`],
    [`${original.prefix}/there`, `${original.prefix}/there`],
    ["there", "there"],
    ["http://example.com/there", "http://example.com/there"],
    ["mailto:me@example.com", "mailto:me@example.com"],
  ])("a link to %s becomes %s", (link, to) => expect(throughProxy(link, "10.0.0.1:80", original)).toBe(to));
});

describe("pages", () => {
  const inUpperCase = (html: string): string => rewriteLinks(html, (link) => link.toUpperCase());
  test.each([
    ['<a href="/x">test</a>', '<a href="/X">test</a>'],
    ["<A class='q' HREF=/x>t</A>", "<A class='q' HREF=\"/X\">t</A>"],
    ["<p href=\"/x\"><img src='/y'></p>", '<p href="/x"><img src="/Y"></p>'],
    ['<a title="a > b" href="/x?a=1&amp;b=2">', '<a title="a > b" href="/X?A=1&amp;B=2">'],
    ['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="/Y">'],
    ['<script src="/x">"<a href=/y>"</script><a href="/z">', '<script src="/X">"<a href=/y>"</script><a href="/Z">'],
    ["1 < 2 <a href", "1 < 2 <a href"],
  ])("%s becomes %s", (html, expected) => expect(inUpperCase(html)).toBe(expected));
  test("a page without links is unchanged", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("<", ">", '"', "'", "a", " ", "<!--", "-->", "<script>", "=")), (bits) => {
        const html = bits.join("");
        expect(rewriteLinks(html, (link) => link).replaceAll(/["']/g, "")).toBe(html.replaceAll(/["']/g, ""));
      }),
    );
  });
  test("unterminated tags are parsed in linear time", () => {
    for (const html of ["<a ".repeat(1_000_000), `<a ${"x".repeat(1_000_000)}>`, `<a${" x".repeat(500_000)}>`])
      expect(rewriteLinks(html, (link) => link)).toBe(html);
  });
});
