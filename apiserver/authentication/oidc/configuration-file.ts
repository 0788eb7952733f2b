// Reads an AuthenticationConfiguration, and checks it.
import {
  type ConfigKind,
  flagSchema,
  readConfigFile,
  struct,
  structs,
  textSchema,
  textsSchema,
  throwProblems,
} from "../../documents/config-file.ts";
import { authenticationProblems } from "./validation.ts";
import type { AuthenticationConfiguration, AuthenticationOptions } from "./configuration.ts";

/** The signature algorithms with a public key (RFC 7518): none with a shared secret, and not `none`. */
export const asymmetricAlgorithms: readonly string[] = [
  ...["ES256", "ES384", "ES512"],
  ...["PS256", "PS384", "PS512"],
  ...["RS256", "RS384", "RS512"],
];

const claimOrExpression = { claim: textSchema, expression: textSchema };
const prefixed = struct("PrefixedClaimOrExpression", { ...claimOrExpression, prefix: textSchema });
const kind: ConfigKind = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  fields: {
    jwt: structs("JWTAuthenticator", {
      issuer: struct("Issuer", {
        ...{ url: textSchema, discoveryURL: textSchema, certificateAuthority: textSchema, audiences: textsSchema },
        ...{ audienceMatchPolicy: textSchema, egressSelectorType: textSchema },
      }),
      claimMappings: struct("ClaimMappings", {
        ...{ username: prefixed, groups: prefixed, uid: struct("ClaimOrExpression", claimOrExpression) },
        extra: structs("ExtraMapping", { key: textSchema, valueExpression: textSchema }),
      }),
      claimValidationRules: structs("ClaimValidationRule", {
        ...{ ...claimOrExpression, requiredValue: textSchema, message: textSchema },
      }),
      userValidationRules: structs("UserValidationRule", { expression: textSchema, message: textSchema }),
    }),
    anonymous: struct("AnonymousAuthConfig", {
      enabled: flagSchema,
      conditions: structs("AnonymousAuthCondition", { path: textSchema }),
    }),
  },
};

/** Throws what is wrong with a configuration. `ownIssuers` are those of service account tokens, which none may be. */
export function checkAuthentication(configuration: AuthenticationConfiguration, ownIssuers: readonly string[]): void {
  throwProblems(authenticationProblems(configuration, ownIssuers));
}

/** The configuration in a file. Throws what is wrong with it. */
export function readAuthenticationConfiguration(text: string, ownIssuers: readonly string[]): AuthenticationOptions {
  const configuration = readConfigFile<AuthenticationConfiguration>(text, kind);
  checkAuthentication(configuration, ownIssuers);
  const { jwt, anonymous } = configuration;
  return { ...(jwt && { jwt }), ...(anonymous && { anonymous }), algorithms: asymmetricAlgorithms };
}
