// What the options about outside providers of tokens (OpenID Connect) configure, as those of kube-apiserver.
import {
  asymmetricAlgorithms,
  readAuthenticationConfiguration,
  checkAuthentication,
} from "../apiserver/authentication/oidc/configuration-file.ts";
import type { AuthenticationOptions, JwtAuthenticator } from "../apiserver/authentication/oidc/configuration.ts";
import type { AuthenticationFlags } from "./authentication-options.ts";
import { CliError } from "./cli-error.ts";
import { accountIssuer, addresses } from "./cluster/config.ts";
import { readFrom } from "./read-config.ts";

/** Without a prefix, names other than addresses of e-mail get the issuer's address in front; `-` is no prefix. */
function usernamePrefix(issuer: string, claim: string, prefix: string | undefined): string {
  if (prefix === "-") return "";
  return prefix || (claim === "email" ? "" : `${issuer}#`);
}

function requiredClaim(text: string): { readonly claim: string; readonly requiredValue: string } {
  const at = text.indexOf("=");
  if (at <= 0)
    throw new CliError(
      `"${text}" is no required claim`,
      "Write --oidc-required-claim CLAIM=VALUE, once for each claim.",
    );
  return { claim: text.slice(0, at), requiredValue: text.slice(at + 1) };
}

/** The last of several required values of one claim counts. */
const requiredClaims = (texts: readonly string[] = []): JwtAuthenticator["claimValidationRules"] => [
  ...new Map(texts.map(requiredClaim).map((rule) => [rule.claim, rule])).values(),
];

function algorithmsOf(text = "RS256"): readonly string[] {
  const algorithms = text.split(",").map((name) => name.trim());
  const wrong = algorithms.find((name) => !asymmetricAlgorithms.includes(name));
  if (wrong === undefined) return algorithms;
  throw new CliError(
    `oidc: unsupported signing alg: "${wrong}"`,
    `--oidc-signing-algs takes ${asymmetricAlgorithms.join(", ")}, separated by commas.`,
  );
}

function providerOf(url: string, clientId: string, flags: AuthenticationFlags): JwtAuthenticator {
  const { oidcUsernameClaim: claim = "sub", oidcGroupsClaim, oidcGroupsPrefix = "", oidcCaFile } = flags;
  const rules = requiredClaims(flags.oidcRequiredClaim);
  return {
    issuer: {
      ...{ url, audiences: [clientId] },
      ...(oidcCaFile && {
        certificateAuthority: readFrom(oidcCaFile, "the authority of the issuer", (text) => text),
      }),
    },
    claimMappings: {
      username: { claim, prefix: usernamePrefix(url, claim, flags.oidcUsernamePrefix) },
      ...(oidcGroupsClaim && { groups: { claim: oidcGroupsClaim, prefix: oidcGroupsPrefix } }),
    },
    ...(rules && { claimValidationRules: rules }),
  };
}

const ownIssuers = [accountIssuer(addresses.clusterDomain)];

/** What the options configure; undefined without any. Throws CliError. */
export function authenticationOf(flags: AuthenticationFlags): AuthenticationOptions | undefined {
  const { authenticationConfig, oidcIssuerUrl: url, oidcClientId: clientId } = flags;
  const isByFlags = Object.entries(flags).some(([name, value]) => name.startsWith("oidc") && value !== undefined);
  if (authenticationConfig !== undefined) {
    if (isByFlags)
      throw new CliError(
        "authentication-config file and oidc-* flags are mutually exclusive",
        "Write the issuer of the flags into the file, under jwt, and leave out the flags.",
      );
    return readFrom(authenticationConfig, "the authentication configuration", (text) =>
      readAuthenticationConfiguration(text, ownIssuers),
    );
  }
  if (!isByFlags) return undefined;
  if (!url || !clientId)
    throw new CliError(
      "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set",
      "Set --oidc-issuer-url to the provider's address, and --oidc-client-id to the audience of its tokens.",
    );
  const jwt = [providerOf(url, clientId, flags)];
  try {
    checkAuthentication({ jwt }, ownIssuers);
  } catch (error) {
    throw new CliError(
      `the token issuer cannot be used: ${(error as Error).message}`,
      "The issuer is an address such as https://accounts.example.com; --oidc-ca-file holds certificates as PEM.",
    );
  }
  return { jwt, algorithms: algorithmsOf(flags.oidcSigningAlgs) };
}
