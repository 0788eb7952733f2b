// What is wrong with an AuthenticationConfiguration, in the words of Kubernetes. Pure.
import { createSecureContext } from "node:tls";
import type { Problem } from "../../../api/errors.ts";
import { validateDomainPath } from "../../../api/names.ts";
import {
  duplicate,
  each,
  invalid,
  type Outcome,
  repeated,
  required,
  together,
  tooMany,
} from "../../../api/problems.ts";
import type {
  AuthenticationConfiguration,
  ClaimOrExpression,
  ClaimValidationRule,
  ExtraMapping,
  Issuer,
  JwtAuthenticator,
  PrefixedClaimOrExpression,
  UserValidationRule,
} from "./configuration.ts";
import { authenticationExpression, type Subject } from "./expressions.ts";

const mostAuthenticators = 64;

function urlProblems(text: string, path: string): readonly Problem[] {
  if (!URL.canParse(text)) return [invalid(path, text, `parse ${JSON.stringify(text)}: it is no address`)];
  const { protocol, username, password, search, hash } = new URL(text);
  return together(
    protocol !== "https:" && invalid(path, text, "URL scheme must be https"),
    username + password !== "" && invalid(path, text, "URL must not contain a username or password"),
    search !== "" && invalid(path, text, "URL must not contain a query"),
    hash !== "" && invalid(path, text, "URL must not contain a fragment"),
  );
}

const withoutSlashes = (url: string): string => url.replace(/\/+$/, "");

function discoveryProblems({ url, discoveryURL }: Issuer, path: string): Outcome {
  if (!discoveryURL) return undefined;
  return together(
    url &&
      withoutSlashes(url) === withoutSlashes(discoveryURL) &&
      invalid(path, discoveryURL, "discoveryURL must be different from URL"),
    urlProblems(discoveryURL, path),
  );
}

function audienceProblems({ audiences = [], audienceMatchPolicy: policy = "" }: Issuer, path: string): Outcome {
  const at = `${path}.audiences`;
  if (audiences.length === 0) return required(at, `at least one ${at} is required`);
  const isWrong = audiences.length > 1 ? policy !== "MatchAny" : policy !== "" && policy !== "MatchAny";
  const detail =
    audiences.length > 1
      ? "audienceMatchPolicy must be MatchAny for multiple audiences"
      : "audienceMatchPolicy must be empty or MatchAny for single audience";
  return together(
    each(audiences, at, (audience, i) => audience === "" && required(i)),
    repeated(audiences, at, (audience) => audience),
    isWrong && invalid(`${path}.audienceMatchPolicy`, policy, detail),
  );
}

function authorityProblem(pem: string | undefined, path: string): Outcome {
  if (!pem) return undefined;
  try {
    if (!pem.includes("-----BEGIN CERTIFICATE-----")) throw new Error("no certificates");
    createSecureContext({ ca: pem });
    return undefined;
  } catch {
    return invalid(path, "<omitted>", "data does not contain any valid RSA or ECDSA certificates");
  }
}

function issuerProblems(issuer: Partial<Issuer> = {}, path: string, ownIssuers: readonly string[]): readonly Problem[] {
  const { url = "", audiences = [] } = issuer;
  const complete: Issuer = { ...issuer, url, audiences };
  const overlap = `URL must not overlap with disallowed issuers: [${ownIssuers.join(" ")}]`;
  return together(
    url === "" && required(`${path}.url`),
    url !== "" && ownIssuers.includes(url) && invalid(`${path}.url`, url, overlap),
    url !== "" && urlProblems(url, `${path}.url`),
    discoveryProblems(complete, `${path}.discoveryURL`),
    audienceProblems(complete, path),
    authorityProblem(complete.certificateAuthority, `${path}.certificateAuthority`),
    issuer.egressSelectorType &&
      invalid(`${path}.egressSelectorType`, issuer.egressSelectorType, "egress selectors are not supported"),
  );
}

/** Why an expression is refused. */
function expressionProblem(subject: Subject, source: string, returns: "bool" | "dyn", path: string): Outcome {
  const compiled = authenticationExpression(subject, source, returns);
  return typeof compiled === "string" && invalid(path, source, compiled);
}

function claimRuleProblems(rules: readonly ClaimValidationRule[] | undefined, path: string): readonly Problem[] {
  const seen = new Set<string>();
  const again = (what: "claim" | "expression", value: string): boolean => {
    const isKnown = seen.has(`${what} ${value}`);
    seen.add(`${what} ${value}`);
    return isKnown;
  };
  return each(rules, path, ({ claim, expression, message, requiredValue }, at) => {
    if (claim && expression) return invalid(at, claim, "claim and expression can't both be set");
    if (claim)
      return together(
        message && invalid(`${at}.message`, message, "may not be specified when claim is set"),
        again("claim", claim) && duplicate(`${at}.claim`, claim),
      );
    if (!expression) return required(at, "claim or expression is required");
    return together(
      requiredValue && invalid(`${at}.requiredValue`, requiredValue, "may not be specified when expression is set"),
      again("expression", expression)
        ? duplicate(`${at}.expression`, expression)
        : expressionProblem("claims", expression, "bool", `${at}.expression`),
    );
  });
}

function mappingProblems(mapping: PrefixedClaimOrExpression = {}, path: string, isRequired: boolean): Outcome {
  const { claim, expression, prefix } = mapping;
  if (claim && expression) return invalid(path, "", "claim and expression can't both be set");
  if (expression)
    return together(
      prefix !== undefined && invalid(`${path}.prefix`, prefix, "may not be specified when expression is set"),
      expressionProblem("claims", expression, "dyn", `${path}.expression`),
    );
  if (claim)
    return (
      prefix === undefined &&
      required(
        `${path}.prefix`,
        "prefix is required when claim is set. It can be set to an empty string to disable prefixing",
      )
    );
  return isRequired && required(path, "claim or expression is required");
}

function uidProblems({ claim, expression }: ClaimOrExpression = {}, path: string): Outcome {
  if (claim && expression) return invalid(path, "", "claim and expression can't both be set");
  return !!expression && expressionProblem("claims", expression, "dyn", `${path}.expression`);
}

const isReservedDomain = (key: string): boolean => /^([^/]*\.)?(kubernetes|k8s)\.io\//.test(key);

function extraProblems(mappings: readonly ExtraMapping[] | undefined, path: string): readonly Problem[] {
  const seen = new Set<string>();
  return each(mappings, path, ({ key = "", valueExpression }, at) => {
    const reserved = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use";
    const isKnown = seen.has(key);
    seen.add(key);
    const rest = !valueExpression
      ? required(`${at}.valueExpression`)
      : expressionProblem("claims", valueExpression, "dyn", `${at}.valueExpression`);
    return together(
      validateDomainPath(key, `${at}.key`),
      key !== key.toLowerCase() && invalid(`${at}.key`, key, "must be lowercase"),
      isReservedDomain(key) && invalid(`${at}.key`, key, reserved),
      isKnown ? duplicate(`${at}.key`, key) : rest,
    );
  });
}

const userRuleProblems = (rules: readonly UserValidationRule[] | undefined, path: string): readonly Problem[] => {
  const seen = new Set<string>();
  return each(rules, path, ({ expression = "" }, at) => {
    if (expression === "") return required(`${at}.expression`);
    if (seen.has(expression)) return duplicate(`${at}.expression`, expression);
    seen.add(expression);
    return expressionProblem("user", expression, "bool", `${at}.expression`);
  });
};

/** An address of e-mail is a name only where its provider has verified it. */
function emailProblem({ claimMappings, claimValidationRules = [] }: JwtAuthenticator, path: string): Outcome {
  const { username, extra = [] } = claimMappings;
  const reads = (source: string | undefined, field: string): boolean => {
    const compiled = source ? authenticationExpression("claims", source, "dyn") : "";
    return typeof compiled !== "string" && compiled.reads(field);
  };
  const others = [...extra.map((mapping) => mapping.valueExpression), ...claimValidationRules.map((r) => r.expression)];
  if (!username?.expression || !reads(username.expression, "email")) return undefined;
  if ([username.expression, ...others].some((source) => reads(source, "email_verified"))) return undefined;
  return invalid(
    `${path}.claimMappings.username.expression`,
    username.expression,
    "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression",
  );
}

function authenticatorProblems(
  { issuer, claimMappings, claimValidationRules, userValidationRules }: Partial<JwtAuthenticator>,
  path: string,
  ownIssuers: readonly string[],
): readonly Problem[] {
  const { username, groups, uid, extra } = claimMappings ?? {};
  const at = `${path}.claimMappings`;
  return together(
    issuerProblems(issuer, `${path}.issuer`, ownIssuers),
    claimRuleProblems(claimValidationRules, `${path}.claimValidationRules`),
    mappingProblems(username, `${at}.username`, true),
    mappingProblems(groups, `${at}.groups`, false),
    uidProblems(uid, `${at}.uid`),
    extraProblems(extra, `${at}.extra`),
    claimMappings &&
      emailProblem({ claimMappings, ...(claimValidationRules && { claimValidationRules }) } as JwtAuthenticator, path),
    userRuleProblems(userValidationRules, `${path}.userValidationRules`),
  );
}

/** What is wrong with a configuration. Tokens of `ownIssuers` are verified otherwise. */
export function authenticationProblems(
  { jwt = [], anonymous }: AuthenticationConfiguration,
  ownIssuers: readonly string[],
): readonly Problem[] {
  if (jwt.length > mostAuthenticators) return [tooMany("jwt", jwt.length, mostAuthenticators)];
  const { enabled = false, conditions = [] } = anonymous ?? {};
  return together(
    each(jwt, "jwt", (authenticator, at) => authenticatorProblems(authenticator, at, ownIssuers)),
    repeated(
      jwt,
      "jwt",
      ({ issuer }) => issuer?.url,
      (at, _, url) => duplicate(`${at}.issuer.url`, url),
    ),
    repeated(
      jwt.filter(({ issuer }) => issuer?.discoveryURL),
      "jwt",
      ({ issuer }) => issuer.discoveryURL,
      (at, _, url) => duplicate(`${at}.issuer.discoveryURL`, url),
    ),
    !enabled &&
      conditions.length > 0 &&
      invalid("anonymous.conditions", conditions, "enabled should be set to true when conditions are defined"),
  );
}
