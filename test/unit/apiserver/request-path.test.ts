// Request paths, client certificates and bearer tokens.
import { expect, test } from "vitest";
import { bearerToken, offeredToken, userOf } from "../../../apiserver/authentication/authenticate.ts";
import { resourcePath } from "../../../apiserver/request/path.ts";

const paths = [
  ["/api/v1/pods", "//v1/pods"],
  ["/api/v1/namespaces", "//v1/namespaces"],
  ["/api/v1/namespaces/x", "//v1/namespaces name x"],
  ["/api/v1/namespaces/x/status", "//v1/namespaces name x subresource status"],
  ["/api/v1/namespaces/x/finalize", "//v1/namespaces name x subresource finalize"],
  ["/api/v1/namespaces/x/pods", "//v1/pods in x"],
  ["/api/v1/namespaces/x/status/y", "//v1/status in x name y"],
  ["/api/v1/namespaces/x/pods/y", "//v1/pods in x name y"],
  ["/api/v1/namespaces/x/pods/y/log", "//v1/pods in x name y subresource log"],
  ["/apis/apps/v1/namespaces/x/deployments/y/scale", "/apps/v1/deployments in x name y subresource scale"],
  ["/apis/apps/v1/deployments", "/apps/v1/deployments"],
  ["/api/v1/nodes/n1/", "//v1/nodes name n1"],
  ["/api/v1/namespaces/x/configmaps/a%3Ab", "//v1/configmaps in x name a:b"],
  ["/api/v1/namespaces/x/pods/y/log/z", "nothing"],
  ["/api/v1/namespaces/x/pods/y/proxy/z", "//v1/pods in x name y subresource proxy"],
  ["/api/v1/nodes/n1/proxy/a/b/", "//v1/nodes name n1 subresource proxy"],
  ["/api/v1//pods", "//v1/ name pods"],
  ["/api/v1/namespaces/x/configmaps/a%2Flog", "//v1/configmaps in x name a subresource log"],
  ["/api/v1/watch/pods", "//v1/pods watched"],
  ["/api/v1/watch/namespaces/x", "//v1/namespaces name x watched"],
  ["/apis/apps/v1/watch/namespaces/x/deployments/y", "/apps/v1/deployments in x name y watched"],
  ["/api/v1/watch/namespaces/x/pods/y/log", "nothing"],
  ["/api/v1/namespaces/x/configmaps/%zz", "nothing"],
  ["/api/v1", "nothing"],
  ["/apis/apps", "nothing"],
  ["/metrics", "nothing"],
] as const;
for (const [path, expected] of paths)
  test(`${path} is parsed as ${expected}`, () => {
    const p = resourcePath(path);
    const parsed = p
      ? `/${p.group}/${p.version}/${p.plural}${p.namespace ? ` in ${p.namespace}` : ""}${p.name ? ` name ${p.name}` : ""}${p.subresource ? ` subresource ${p.subresource}` : ""}${p.watch ? " watched" : ""}`
      : "nothing";
    expect(parsed).toBe(expected);
  });

const socket = (authorized: boolean, subject: object) => ({
  authorized,
  getPeerCertificate: () => ({ subject, fingerprint256: "0A:FF" }) as never,
});
test("the subject of a certificate is the user", () => {
  expect(userOf(socket(true, { CN: "me", O: "system:masters" }))).toEqual({
    name: "me",
    groups: ["system:masters", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=0aff"] },
  });
  expect(userOf(socket(true, { CN: "me", O: ["a", "b"] }))?.groups).toEqual(["a", "b", "system:authenticated"]);
  expect(userOf(socket(true, {}))).toBeUndefined();
  expect(userOf(socket(false, { CN: "me" }))).toBeUndefined();
});

const authorizations = [
  [undefined, undefined],
  ["Basic abc", undefined],
  ["Bearer", undefined],
  ["Bearer abc", "abc"],
  [" bEARER abc more", "abc"],
] as const;
for (const [authorization, token] of authorizations)
  test(`in "${authorization}" the token is ${token}`, () => expect(bearerToken(authorization)).toBe(token));

const inProtocol = `base64url.bearer.authorization.k8s.io.${Buffer.from("a?b").toString("base64url")}`;
const offers = [
  [`${inProtocol}, v5.channel.k8s.io`, "a?b", "v5.channel.k8s.io"],
  [`one,${inProtocol},two`, "a?b", "one,two"],
  ["v5.channel.k8s.io", undefined, "v5.channel.k8s.io"],
  [inProtocol, "", inProtocol],
  [`${inProtocol},${inProtocol},one`, "", `${inProtocol},${inProtocol},one`],
] as const;
for (const [offered, token, left] of offers)
  test(`of a browser that offers ${offered.replaceAll(inProtocol, "TOKEN")} the token is "${token}"`, () => {
    const headers = { upgrade: "websocket", "sec-websocket-protocol": offered };
    expect([offeredToken(headers), headers["sec-websocket-protocol"]]).toEqual([token, left]);
  });
