// Impersonation headers.
import { type User, authenticatedUsers } from "../../../apiserver/authorization/authorizer.ts";
import { expect, test } from "vitest";
import { isImpersonating, impersonated } from "../../../apiserver/authentication/authenticate.ts";

const admin = { name: "admin", groups: ["system:masters", "system:authenticated"] };
const nobody = { name: "nobody", groups: ["system:unauthenticated"] };
const account = "system:serviceaccount:shop:robot";

const as = (user: User, headers: readonly string[]): Promise<User> => impersonated(user, headers, authenticatedUsers);
const table = [
  ["a user is authenticated", ["Impersonate-User", "me"], { name: "me", groups: ["system:authenticated"] }],
  [
    "groups are added, and system:authenticated",
    ["Impersonate-User", "me", "Impersonate-Group", "a", "Impersonate-Group", "b"],
    { name: "me", groups: ["a", "b", "system:authenticated"] },
  ],
  [
    "the group system:unauthenticated replaces system:authenticated",
    ["Impersonate-User", "me", "Impersonate-Group", "system:unauthenticated"],
    { name: "me", groups: ["system:unauthenticated"] },
  ],
  [
    "system:anonymous is unauthenticated",
    ["Impersonate-User", "system:anonymous"],
    { name: "system:anonymous", groups: ["system:unauthenticated"] },
  ],
  [
    "a service account has its groups",
    ["impersonate-user", account],
    { name: account, groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"] },
  ],
  [
    "explicit groups replace those of a service account",
    ["Impersonate-User", account, "Impersonate-Group", "a"],
    { name: account, groups: ["a", "system:authenticated"] },
  ],
  [
    "an invalid service account name is a user name",
    ["Impersonate-User", "system:serviceaccount:NO:robot"],
    { name: "system:serviceaccount:NO:robot", groups: ["system:authenticated"] },
  ],
  [
    "a uid and extra fields",
    ["Impersonate-User", "me", "Impersonate-Uid", "7", "Impersonate-Extra-A%2fB", "x", "Impersonate-Extra-A%2fb", "y"],
    { name: "me", uid: "7", groups: ["system:authenticated"], extra: { "a/b": ["x", "y"] } },
  ],
] as const;
for (const [what, headers, user] of table)
  test(`impersonation: ${what}`, () => expect(as(admin, headers)).resolves.toEqual(user));

test("impersonation without permission is forbidden", async () => {
  await expect(as(nobody, ["Impersonate-User", "me"])).rejects.toThrow(
    'users "me" is forbidden: User "nobody" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  await expect(as(nobody, ["Impersonate-User", account])).rejects.toThrow(
    'serviceaccounts "robot" is forbidden: User "nobody" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"',
  );
});
test("groups without a user are refused", async () => {
  await expect(as(admin, ["Impersonate-Group", "a", "Impersonate-Extra-k", "v"])).rejects.toThrow(
    'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string{"k":[]string{"v"}}} without impersonating a user name',
  );
});
test("a request without the headers keeps its user", () => {
  expect(isImpersonating({ accept: "*/*", "user-agent": "x" })).toBe(false);
  expect(isImpersonating({ accept: "*/*", "impersonate-user": "x" })).toBe(true);
});
