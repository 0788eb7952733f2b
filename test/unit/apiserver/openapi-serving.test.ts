// Serving of OpenAPI documents: media types, compression and caching.
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import type { ApiRequest, WholeReply } from "../../../apiserver/request/request-response.ts";
import { openApi } from "../../../apiserver/openapi/openapi.ts";

const kinds = builtinKinds.filter((r) => ["configmaps", "leases"].includes(r.plural));
const documents = openApi(kindRegistry(kinds), () => 0);
async function ask(address: string, headers: Record<string, string> = {}): Promise<WholeReply> {
  const [path = "", query = ""] = address.split("?");
  const request = { path, query: new URLSearchParams(query), headers } as unknown as ApiRequest;
  return (await documents(request)) as WholeReply;
}
const places = async (): Promise<Record<string, { serverRelativeURL: string }>> =>
  JSON.parse(String((await ask("/openapi/v3")).body)).paths;

test("the index has every group version with a content hash in its URL", async () => {
  const paths = await places();
  expect(Object.keys(paths)).toEqual([
    "api",
    "api/v1",
    "apis",
    "apis/coordination.k8s.io",
    "apis/coordination.k8s.io/v1",
  ]);
  expect(paths["api/v1"]!.serverRelativeURL).toMatch(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/);
});

test("a document by its hash is immutable, an old hash redirects, and without a hash it is revalidated", async () => {
  const address = (await places())["api/v1"]!.serverRelativeURL;
  const document = await ask(address);
  expect(document.headers).toMatchObject({
    "content-type": "application/json",
    "cache-control": "public, immutable",
    expires: "Fri, 01 Jan 1971 00:00:00 GMT",
    etag: `"${address.split("=")[1]}"`,
  });
  expect(JSON.parse(String(document.body)).openapi).toBe("3.0.0");
  const moved = await ask("/openapi/v3/api/v1?hash=OLD");
  expect([moved.status, moved.headers]).toEqual([301, { location: address }]);
  const plain = await ask("/openapi/v3/api/v1");
  expect([plain.status, plain.headers?.["cache-control"]]).toEqual([200, undefined]);
  const again = await ask("/openapi/v3/api/v1", { "if-none-match": String(document.headers?.["etag"]) });
  expect([again.status, String(again.body)]).toEqual([304, ""]);
});

test("documents are compressed when the client accepts gzip", async () => {
  const plain = await ask("/openapi/v2");
  const small = await ask("/openapi/v2", { "accept-encoding": "gzip" });
  expect(small.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept, Accept-Encoding" });
  expect(gunzipSync(small.body as Buffer).equals(plain.body as Buffer)).toBe(true);
});

test("the first supported media type is served", async () => {
  const protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
  const rows = [
    ["/openapi/v2", "", "application/json"],
    ["/openapi/v2", "*/*", "application/json"],
    ["/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", protobuf],
    ["/openapi/v2", `${protobuf},application/json`, protobuf],
    ["/openapi/v3/api/v1", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf,*/*", "application/json"],
  ] as const;
  for (const [address, accept, type] of rows)
    expect([accept, (await ask(address, { accept })).headers?.["content-type"]]).toEqual([accept, type]);
  await expect(ask("/openapi/v2", { accept: "text/html" })).rejects.toThrow(/only the following media types/);
  await expect(ask("/openapi/v3/apis/nothing")).rejects.toThrow(/could not find the requested resource/);
  expect(documents({ path: "/api", headers: {} } as ApiRequest)).toBeUndefined();
});
