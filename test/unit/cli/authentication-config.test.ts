// The options about outside providers of tokens, and what they configure.
import { expect, test } from "vitest";
import { authenticationOf } from "../../../cli/authentication-config.ts";
import type { AuthenticationFlags } from "../../../cli/authentication-options.ts";

const issuer = "https://issuer.example";
const flags = (more: AuthenticationFlags = {}) => ({ oidcIssuerUrl: issuer, oidcClientId: "orrery", ...more });
const usernameOf = (more: AuthenticationFlags) => authenticationOf(flags(more))?.jwt?.[0]?.claimMappings.username;

test("without options nothing is configured", () => expect(authenticationOf({})).toBeUndefined());

test("an issuer with groups, required claims and algorithms", () => {
  const oidcRequiredClaim = ["hd=a", "org=x=y", "hd=b"];
  const oidcSigningAlgs = "RS256, ES256";
  expect(authenticationOf(flags({ oidcGroupsClaim: "groups", oidcRequiredClaim, oidcSigningAlgs }))).toEqual({
    algorithms: ["RS256", "ES256"],
    jwt: [
      {
        issuer: { url: issuer, audiences: ["orrery"] },
        claimMappings: {
          username: { claim: "sub", prefix: `${issuer}#` },
          groups: { claim: "groups", prefix: "" },
        },
        claimValidationRules: [
          { claim: "hd", requiredValue: "b" },
          { claim: "org", requiredValue: "x=y" },
        ],
      },
    ],
  });
  expect(authenticationOf(flags())?.algorithms).toEqual(["RS256"]);
});

test.each<[AuthenticationFlags, string, string]>([
  [{}, "sub", `${issuer}#`],
  [{ oidcUsernamePrefix: "-" }, "sub", ""],
  [{ oidcUsernamePrefix: "org:" }, "sub", "org:"],
  [{ oidcUsernameClaim: "email" }, "email", ""],
  [{ oidcUsernameClaim: "email", oidcUsernamePrefix: "org:" }, "email", "org:"],
])("names under %j", (more, claim, prefix) => expect(usernameOf(more)).toEqual({ claim, prefix }));

test.each<[AuthenticationFlags, string]>([
  [{ oidcIssuerUrl: issuer }, "must be specified together"],
  [{ oidcUsernamePrefix: "-" }, "must be specified together"],
  [flags({ oidcIssuerUrl: "http://issuer.example" }), "URL scheme must be https"],
  [flags({ oidcIssuerUrl: "https://kubernetes.default.svc.cluster.local" }), "must not overlap"],
  [flags({ oidcSigningAlgs: "HS256" }), 'unsupported signing alg: "HS256"'],
  [flags({ oidcSigningAlgs: "none" }), 'unsupported signing alg: "none"'],
  [flags({ oidcRequiredClaim: ["hd"] }), '"hd" is no required claim'],
  [flags({ oidcCaFile: "/nowhere" }), "/nowhere does not exist"],
  [flags({ authenticationConfig: "/nowhere" }), "mutually exclusive"],
  [{ authenticationConfig: "/nowhere" }, "/nowhere does not exist"],
])("%j is refused", (options, message) => expect(() => authenticationOf(options)).toThrow(message));
