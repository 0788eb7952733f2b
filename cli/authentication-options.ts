// The options of a server about outside providers of tokens (OpenID Connect), named as those of kube-apiserver.
import type { Command } from "commander";
import { strings } from "./program/flag-values.ts";

export interface AuthenticationFlags {
  readonly authenticationConfig?: string;
  readonly oidcIssuerUrl?: string;
  readonly oidcClientId?: string;
  readonly oidcUsernameClaim?: string;
  readonly oidcUsernamePrefix?: string;
  readonly oidcGroupsClaim?: string;
  readonly oidcGroupsPrefix?: string;
  readonly oidcRequiredClaim?: readonly string[];
  readonly oidcCaFile?: string;
  readonly oidcSigningAlgs?: string;
}

/** Adds the options to a command. */
export const withAuthentication = (command: Command): Command =>
  command
    .option("--authentication-config <file>", "an AuthenticationConfiguration: token issuers, and who is anonymous")
    .option("--oidc-issuer-url <url>", "the OpenID issuer whose tokens count")
    .option("--oidc-client-id <id>", "the audience that its tokens must have")
    .option("--oidc-username-claim <claim>", "the claim that is the user's name (default: sub)")
    .option("--oidc-username-prefix <prefix>", "comes before the name; - is none (default: the issuer and #)")
    .option("--oidc-groups-claim <claim>", "the claim that holds the user's groups")
    .option("--oidc-groups-prefix <prefix>", "comes before each group")
    .option("--oidc-required-claim <claim=value>", "a claim that tokens must have; may be repeated", strings)
    .option("--oidc-ca-file <file>", "the authorities of the issuer's certificate; those of the system by default")
    .option("--oidc-signing-algs <list>", "the algorithms its tokens may be signed with (default: RS256)");
