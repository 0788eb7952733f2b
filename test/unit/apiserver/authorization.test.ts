// Request attributes and the messages of denied requests.
import { expect, test } from "vitest";
import { accessOf } from "../../../apiserver/http/incoming-request.ts";
import { accessDenied } from "../../../apiserver/registry/refusals.ts";
import { requestInfo, resourcePath } from "../../../apiserver/request/path.ts";

const me = { name: "<me>", groups: [] };
const table = [
  [
    "GET",
    "/api/v1/pods",
    'pods is forbidden: User "&lt;me&gt;" cannot list resource "pods" in API group "" at the cluster scope',
  ],
  [
    "GET",
    "/api/v1/pods?watch=1",
    'pods is forbidden: User "&lt;me&gt;" cannot watch resource "pods" in API group "" at the cluster scope',
  ],
  [
    "GET",
    "/api/v1/watch/pods",
    'pods is forbidden: User "&lt;me&gt;" cannot watch resource "pods" in API group "" at the cluster scope',
  ],
  [
    "HEAD",
    "/api/v1/nodes/n",
    'nodes "n" is forbidden: User "&lt;me&gt;" cannot get resource "nodes" in API group "" at the cluster scope',
  ],
  [
    "POST",
    "/apis/apps/v1/namespaces/x/deployments",
    'deployments.apps is forbidden: User "&lt;me&gt;" cannot create resource "deployments" in API group "apps" in the namespace "x"',
  ],
  [
    "PUT",
    "/apis/apps/v1/namespaces/x/deployments/d/scale",
    'deployments.apps "d" is forbidden: User "&lt;me&gt;" cannot update resource "deployments/scale" in API group "apps" in the namespace "x"',
  ],
  [
    "DELETE",
    "/api/v1/namespaces/x/pods",
    'pods is forbidden: User "&lt;me&gt;" cannot deletecollection resource "pods" in API group "" in the namespace "x"',
  ],
  [
    "PATCH",
    "/api/v1/namespaces/x/pods/p",
    'pods "p" is forbidden: User "&lt;me&gt;" cannot patch resource "pods" in API group "" in the namespace "x"',
  ],
  ["GET", "/metrics", 'forbidden: User "&lt;me&gt;" cannot get path "/metrics"'],
  ["POST", "/api", 'forbidden: User "&lt;me&gt;" cannot post path "/api"'],
] as const;
for (const [method, url, message] of table)
  test(`${method} ${url} is forbidden`, () => {
    const [path = "", query = ""] = url.split("?");
    const info = requestInfo(method, { path, place: resourcePath(path) }, new URLSearchParams(query));
    const refused = accessDenied({ ...info, user: me });
    expect([refused.reason, refused.message]).toEqual(["Forbidden", message]);
  });

test("access is decided by a synchronous or asynchronous authorizer", async () => {
  const request = {
    attributes: { verb: "get", resource: "pods" },
    path: "/api/v1/pods",
    raw: { headers: {}, rawHeaders: [] },
  };
  const decisions = [
    [{ allowed: true }, undefined],
    [{ allowed: false, reason: "no rule" }, expect.objectContaining({ message: expect.stringContaining(": no rule") })],
  ] as const;
  for (const [decision, refused] of decisions) {
    expect(accessOf(me, request, { decide: () => decision })).toEqual({ user: me, refused });
    expect(await accessOf(me, request, { decide: async () => decision })).toEqual({ user: me, refused });
  }
  const broken = { decide: () => Promise.reject(new Error("rules unreadable")) };
  expect(await accessOf(me, request, broken)).toMatchObject({ refused: { message: "rules unreadable" } });
});
