// The user that a provider's claims name, and what is wrong with a configuration.
import { expect, test } from "vitest";
import type { JwtAuthenticator } from "../../../apiserver/authentication/oidc/configuration.ts";
import { readAuthenticationConfiguration } from "../../../apiserver/authentication/oidc/configuration-file.ts";
import { userMapping } from "../../../apiserver/authentication/oidc/user.ts";
import type { User } from "../../../apiserver/authorization/authorizer.ts";

type More = Omit<Partial<JwtAuthenticator>, "claimMappings"> & Partial<JwtAuthenticator["claimMappings"]>;
function userOf(claims: object, { username, groups, uid, extra, ...rules }: More): User {
  const claimMappings = {
    username: username ?? { claim: "sub", prefix: "" },
    ...(groups && { groups }),
    ...(uid && { uid }),
    ...(extra && { extra }),
  };
  const issuer = { url: "https://issuer.example", audiences: ["a"] };
  return userMapping({ issuer, claimMappings, ...rules })({ sub: "jane", ...claims });
}
const plain = { name: "jane", groups: ["system:authenticated"] };
const named = (name: string): User => ({ ...plain, name });
const inGroups = (...groups: string[]): User => ({ ...plain, groups: [...groups, "system:authenticated"] });

const mappings: readonly (readonly [string, object, More, User | RegExp])[] = [
  ["a claim", {}, {}, plain],
  [
    "a prefix",
    {},
    { username: { claim: "sub", prefix: "https://issuer.example#" } },
    named("https://issuer.example#jane"),
  ],
  [
    "a missing claim",
    {},
    { username: { claim: "name", prefix: "" } },
    /^oidc: parse username claims "name": claim not present$/,
  ],
  ["a claim of every object", {}, { username: { claim: "constructor", prefix: "" } }, /claim not present/],
  ["a number", { sub: 7 }, {}, /cannot unmarshal number into Go value of type string/],
  ["nothing", { sub: null }, {}, /cannot unmarshal null/],
  ["an address", { email: "j@x" }, { username: { claim: "email", prefix: "" } }, named("j@x")],
  [
    "a verified one",
    { email: "j@x", email_verified: true },
    { username: { claim: "email", prefix: "" } },
    named("j@x"),
  ],
  [
    "one not verified",
    { email: "j@x", email_verified: false },
    { username: { claim: "email", prefix: "" } },
    /email not verified/,
  ],
  [
    "verified in words",
    { email: "j@x", email_verified: "true" },
    { username: { claim: "email", prefix: "" } },
    /parse 'email_verified' claim/,
  ],
  [
    "an expression",
    { email: "J@X" },
    { username: { expression: "claims.email.lowerAscii() + ':' + claims.sub" } },
    named("j@x:jane"),
  ],
  [
    "an expression of a number",
    { n: 1 },
    { username: { expression: "claims.n" } },
    /username claim expression must return a string/,
  ],
  ["an empty one", { e: "" }, { username: { expression: "claims.e" } }, /empty username via CEL expression/],
  [
    "a missing claim in one",
    {},
    { username: { expression: "claims.zz" } },
    /error evaluating username claim expression: no such key: zz/,
  ],
  ["a list of groups", { g: ["a", "b"] }, { groups: { claim: "g", prefix: "p:" } }, inGroups("p:a", "p:b")],
  ["one group", { g: "a" }, { groups: { claim: "g", prefix: "" } }, inGroups("a")],
  ["no groups", {}, { groups: { claim: "g", prefix: "" } }, plain],
  [
    "groups that are numbers",
    { g: [1] },
    { groups: { claim: "g", prefix: "" } },
    /parse groups claim "g": json: cannot unmarshal number/,
  ],
  [
    "groups by expression",
    { roles: "a,b,,c" },
    { groups: { expression: 'claims.roles.split(",")' } },
    inGroups("a", "b", "c"),
  ],
  ["optional groups", {}, { groups: { expression: "claims.?roles.orValue([])" } }, plain],
  [
    "groups of a nested claim",
    { realm: { roles: ["r"] } },
    { groups: { expression: "claims.realm.roles" } },
    inGroups("r"),
  ],
  [
    "groups in several claims",
    { a: ["x"], b: ["y"] },
    { groups: { expression: "claims.a + claims.b" } },
    inGroups("x", "y"),
  ],
  [
    "groups that are true",
    { ok: true },
    { groups: { expression: "claims.ok" } },
    /must return a string or a list of strings/,
  ],
  [
    "a claim whose name has a dot",
    { "x.y/z": "v" },
    { groups: { expression: "claims.x__dot__y__slash__z" } },
    inGroups("v"),
  ],
  ["an id", { id: "5" }, { uid: { claim: "id" } }, { ...plain, uid: "5" }],
  ["an id by expression", { id: "5" }, { uid: { expression: "'u' + claims.id" } }, { ...plain, uid: "u5" }],
  ["no id", {}, { uid: { claim: "id" } }, /parse uid claim "id": claim not present/],
  [
    "extras",
    { jti: "9", t: "acme", no: "" },
    {
      extra: [
        { key: "x.io/tenant", valueExpression: "claims.t" },
        { key: "x.io/no", valueExpression: "claims.no" },
      ],
    },
    { ...plain, extra: { "x.io/tenant": ["acme"], "authentication.kubernetes.io/credential-id": ["JTI=9"] } },
  ],
  ["an own name", { sub: "system:kube-scheduler" }, {}, /"system:kube-scheduler" is not allowed/],
  ["an own name by its prefix", {}, { username: { claim: "sub", prefix: "system:" } }, /not allowed/],
  [
    "an own group",
    { g: ["x", "system:masters"] },
    { groups: { claim: "g", prefix: "" } },
    /"system:masters" is not allowed/,
  ],
  [
    "an own group with a prefix",
    { g: ["system:masters"] },
    { groups: { claim: "g", prefix: "o:" } },
    inGroups("o:system:masters"),
  ],
];
test.each(mappings)("mapping: %s", (_, claims, more, expected) => {
  if (expected instanceof RegExp) expect(() => userOf(claims, more)).toThrow(expected);
  else expect(userOf(claims, more)).toEqual(expected);
});

const claimRule = (expression: string, message = "no") => ({ claimValidationRules: [{ expression, message }] });
const userRule = (expression: string) => ({ userValidationRules: [{ expression, message: "no" }] });
const rules: readonly (readonly [object, More, RegExp | undefined])[] = [
  [{ hd: "x" }, { claimValidationRules: [{ claim: "hd", requiredValue: "x" }] }, undefined],
  [
    { hd: "y" },
    { claimValidationRules: [{ claim: "hd", requiredValue: "x" }] },
    /required claim hd value does not match. Got = y, want = x/,
  ],
  [{}, { claimValidationRules: [{ claim: "hd" }] }, /required claim hd not present in ID token/],
  [
    { hd: true },
    { claimValidationRules: [{ claim: "hd", requiredValue: "true" }] },
    /parse claim hd: json: cannot unmarshal bool/,
  ],
  [{ exp: 9, nbf: 1 }, claimRule("claims.exp - claims.nbf <= 10"), undefined],
  [
    { exp: 90, nbf: 1 },
    claimRule("claims.exp - claims.nbf <= 10", "too long"),
    /validation expression 'claims.exp - claims.nbf <= 10' failed: too long/,
  ],
  [{}, claimRule("claims.hd == 'x'"), /error evaluating claim validation expression: no such key: hd/],
  [{}, userRule("user.username == 'jane' && user.uid == '' && user.groups.size() == 0"), undefined],
  [
    {},
    userRule("!user.username.startsWith('j')"),
    /error evaluating user info validation rule: validation expression .* failed: no/,
  ],
  [{}, userRule("'x.io/t' in user.extra"), /failed: no/],
];
test.each(rules)("rules: %j under %j", (claims, more, because) => {
  if (because) expect(() => userOf(claims, more)).toThrow(because);
  else expect(userOf(claims, more)).toEqual(plain);
});

const own = ["https://kubernetes.default.svc.cluster.local"];
const issuer = { url: "https://i.example", audiences: ["a"] };
const username = { claim: "sub", prefix: "" };
const jwt = (more: object = {}) => ({ issuer, claimMappings: { username }, ...more });
const read = (fields: object) =>
  readAuthenticationConfiguration(
    JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration", ...fields }),
    own,
  );

test("a configuration file is read", () => {
  const anonymous = { enabled: true, conditions: [{ path: "/livez" }] };
  expect(read({ jwt: [jwt()], anonymous })).toMatchObject({ jwt: [jwt()], anonymous });
  expect(read({ jwt: [jwt()] }).algorithms).not.toContain("HS256");
  expect(read({})).toEqual({ algorithms: expect.any(Array) });
});

const mapped = (claimMappings: object) => ({ jwt: [jwt({ claimMappings: { username, ...claimMappings } })] });
const issued = (more: object) => ({ jwt: [jwt({ issuer: { ...issuer, ...more } })] });
test.each<[object, string]>([
  [
    { jwt: [{}] },
    "[jwt[0].issuer.url: Required value, jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required, jwt[0].claimMappings.username: Required value: claim or expression is required]",
  ],
  [issued({ url: "http://i" }), 'jwt[0].issuer.url: Invalid value: "http://i": URL scheme must be https'],
  [issued({ url: "https://u:p@i?q#f" }), "URL must not contain a username or password"],
  [issued({ url: own[0] }), `URL must not overlap with disallowed issuers: [${own[0]}]`],
  [issued({ discoveryURL: "https://i.example/" }), "discoveryURL must be different from URL"],
  [issued({ audiences: ["a", "b"] }), "audienceMatchPolicy must be MatchAny for multiple audiences"],
  [
    issued({ audiences: ["a", "a"], audienceMatchPolicy: "MatchAny" }),
    'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
  ],
  [issued({ audienceMatchPolicy: "All" }), "audienceMatchPolicy must be empty or MatchAny for single audience"],
  [issued({ certificateAuthority: "x" }), 'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>"'],
  [{ jwt: [jwt(), jwt()] }, 'jwt[1].issuer.url: Duplicate value: "https://i.example"'],
  [
    mapped({ username: { claim: "sub" } }),
    "prefix is required when claim is set. It can be set to an empty string to disable prefixing",
  ],
  [mapped({ username: { claim: "a", expression: "b" } }), "claim and expression can't both be set"],
  [mapped({ groups: { expression: "claims.g", prefix: "p" } }), "may not be specified when expression is set"],
  [mapped({ username: { expression: "claims." } }), "jwt[0].claimMappings.username.expression: Invalid value"],
  [mapped({ username: { expression: "user.username" } }), "undeclared reference to 'user'"],
  [mapped({ username: { expression: "claims.email" } }), "claims.email_verified must be used"],
  [mapped({ uid: { claim: "a", expression: "b" } }), "jwt[0].claimMappings.uid: Invalid value"],
  [mapped({ extra: [{ key: "x.k8s.io/a", valueExpression: "'b'" }] }), "are reserved for Kubernetes use"],
  [mapped({ extra: [{ key: "X.io/A", valueExpression: "'b'" }] }), "must be lowercase"],
  [mapped({ extra: [{ key: "x.io/a" }] }), "jwt[0].claimMappings.extra[0].valueExpression: Required value"],
  [{ jwt: [jwt({ claimValidationRules: [{}] })] }, "claim or expression is required"],
  [{ jwt: [jwt({ claimValidationRules: [{ expression: "claims.sub" }] })] }, "must evaluate to bool"],
  [{ jwt: [jwt({ claimValidationRules: [{ claim: "a", message: "m" }] })] }, "may not be specified when claim is set"],
  [
    { jwt: [jwt({ claimValidationRules: [{ claim: "a" }, { claim: "a" }] })] },
    'claimValidationRules[1].claim: Duplicate value: "a"',
  ],
  [{ jwt: [jwt({ userValidationRules: [{ expression: "user.name == ''" }] })] }, "undefined field 'name'"],
  [{ jwt: [jwt({ userValidationRules: [{}] })] }, "jwt[0].userValidationRules[0].expression: Required value"],
  [{ jwt: [jwt({ wrong: 1 })] }, 'unknown field "jwt[0].wrong"'],
  [{ anonymous: { conditions: [{ path: "/x" }] } }, "enabled should be set to true when conditions are defined"],
])("a configuration file with %j is refused", (fields, message) => {
  expect(() => read(fields)).toThrow(message);
});

test("an address counts when its verification is looked at", () => {
  const expression = "claims.?email_verified.orValue(true) ? claims.email : claims.sub";
  expect(read(mapped({ username: { expression } })).jwt).toHaveLength(1);
  const claimValidationRules = [{ expression: "claims.email_verified == true" }];
  const claimMappings = { username: { expression: "claims.email" } };
  expect(read({ jwt: [jwt({ claimMappings, claimValidationRules })] }).jwt).toHaveLength(1);
});
