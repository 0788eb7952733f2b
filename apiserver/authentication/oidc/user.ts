// The user that claims name, by the mappings and rules of a configuration. Pure.
import { quoted } from "../../../api/quote.ts";
import type { User } from "../../authorization/authorizer.ts";
import type { JwtAuthenticator, PrefixedClaimOrExpression } from "./configuration.ts";
import {
  type AuthenticationExpression,
  authenticationExpression,
  expressionValue,
  type Subject,
} from "./expressions.ts";
import type { Claims } from "./verify.ts";

/** The user of a token's claims. Throws why there is none. */
export type UserOf = (claims: Claims) => User;

function compiled(subject: Subject, source: string, returns: "bool" | "dyn"): AuthenticationExpression {
  const expression = authenticationExpression(subject, source, returns);
  if (typeof expression === "string") throw new Error(`the expression ${quoted(source)} is refused: ${expression}`);
  return expression;
}

const claimOf = (claims: Claims, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);

const goType = (value: unknown): string => {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : value === null ? "null" : typeof value;
};
function textIn(claims: Claims, name: string, type: "string" | "boolean" = "string"): unknown {
  const value = claimOf(claims, name);
  if (value === undefined) throw new Error("claim not present");
  const expected = type === "boolean" ? "bool" : type;
  if (typeof value !== type)
    throw new Error(`json: cannot unmarshal ${goType(value)} into Go value of type ${expected}`);
  return value;
}
/** Runs a step; its error gets a prefix. */
function step<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`oidc: ${prefix}: ${(error as Error).message}`, { cause: error });
  }
}

/** Texts of a claim or the result of an expression: one or several. */
function textsOf(value: unknown): readonly string[] {
  if (value === null || value === undefined) return [];
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!all.every((text) => typeof text === "string"))
    throw new Error("expression must return a string or a list of strings");
  return all.filter((text) => text !== "");
}

/** What the mappings are applied to: claims as they are, and as expressions see them. */
interface Token {
  readonly claims: Claims;
  readonly value: unknown;
}
type Mapping<T> = (token: Token) => T;

/** An address of e-mail counts unless its provider says that it is not verified. */
function checkEmail(claims: Claims): void {
  if (claimOf(claims, "email_verified") === undefined) return;
  const isVerified = step("parse 'email_verified' claim", () => textIn(claims, "email_verified", "boolean"));
  if (isVerified !== true) throw new Error("oidc: email not verified");
}

function usernameMapping({ claim = "", expression, prefix = "" }: PrefixedClaimOrExpression): Mapping<string> {
  if (expression) {
    const program = compiled("claims", expression, "dyn");
    return ({ value }) => {
      const name = step("error evaluating username claim expression", () => {
        const result = program.evaluate(value);
        if (typeof result !== "string") throw new Error("username claim expression must return a string");
        return result;
      });
      if (name === "") throw new Error("oidc: empty username via CEL expression is not allowed");
      return name;
    };
  }
  return ({ claims }) => {
    const name = step(`parse username claims ${quoted(claim)}`, () => textIn(claims, claim) as string);
    if (claim === "email") checkEmail(claims);
    if (name === "") throw new Error(`oidc: empty username in claim ${quoted(claim)} is not allowed`);
    return prefix + name;
  };
}

function groupsMapping({
  claim = "",
  expression,
  prefix = "",
}: PrefixedClaimOrExpression = {}): Mapping<readonly string[]> {
  if (expression) {
    const program = compiled("claims", expression, "dyn");
    return ({ value }) => step("error evaluating group claim expression", () => textsOf(program.evaluate(value)));
  }
  return ({ claims }) =>
    step(`parse groups claim ${quoted(claim)}`, () => {
      const found = claimOf(claims, claim) ?? [];
      const all: readonly unknown[] = Array.isArray(found) ? found : [found];
      const wrong = all.find((group) => typeof group !== "string");
      if (wrong !== undefined) throw new Error(`json: cannot unmarshal ${goType(wrong)} into Go value of type string`);
      return all.map((group) => `${prefix}${group as string}`);
    });
}

function uidMapping({
  claim,
  expression,
}: {
  readonly claim?: string;
  readonly expression?: string;
} = {}): Mapping<string | undefined> {
  if (claim) return ({ claims }) => step(`parse uid claim ${quoted(claim)}`, () => textIn(claims, claim) as string);
  if (!expression) return () => undefined;
  const program = compiled("claims", expression, "dyn");
  return ({ value }) =>
    step("error evaluating uid claim expression", () => {
      const uid = program.evaluate(value);
      if (typeof uid !== "string") throw new Error("uid claim expression must return a string");
      return uid;
    });
}

const credentialId = "authentication.kubernetes.io/credential-id";

function extraMapping(
  mappings: JwtAuthenticator["claimMappings"]["extra"] = [],
): Mapping<Record<string, readonly string[]>> {
  const programs = mappings.map(({ key, valueExpression }) => ({
    ...{ key, valueExpression },
    program: compiled("claims", valueExpression, "dyn"),
  }));
  return ({ claims, value }) => {
    const id = claimOf(claims, "jti");
    const entries = programs.map(
      ({ key, valueExpression, program }) =>
        [
          key,
          step(`error evaluating extra claim expression: ${valueExpression}`, () => textsOf(program.evaluate(value))),
        ] as const,
    );
    return Object.fromEntries([
      ...(typeof id === "string" && id !== "" ? [[credentialId, [`JTI=${id}`]] as const] : []),
      ...entries.filter(([, values]) => values.length > 0),
    ]);
  };
}

type Check<T> = (subject: T) => void;

/** Throws the message of the first expression that is not true. */
function rulesOf(
  subject: Subject,
  what: string,
  rules: readonly { readonly expression?: string; readonly message?: string }[],
): Check<unknown> {
  const programs = rules.flatMap(({ expression, message = "" }) =>
    expression ? [{ expression, message, program: compiled(subject, expression, "bool") }] : [],
  );
  return (value) => {
    for (const { expression, message, program } of programs)
      step(`error evaluating ${what}`, () => {
        if (program.evaluate(value) !== true)
          throw new Error(`validation expression '${expression}' failed: ${message}`);
      });
  };
}

function requiredClaims(rules: JwtAuthenticator["claimValidationRules"] = []): Check<Claims> {
  return (claims) => {
    for (const { claim, requiredValue = "" } of rules) {
      if (!claim) continue;
      if (claimOf(claims, claim) === undefined)
        throw new Error(`oidc: required claim ${claim} not present in ID token`);
      const value = step(`parse claim ${claim}`, () => textIn(claims, claim));
      if (value !== requiredValue)
        throw new Error(
          `oidc: required claim ${claim} value does not match. Got = ${String(value)}, want = ${requiredValue}`,
        );
    }
  };
}

const ownPrefix = "system:";
/** Names of the cluster's own users and groups are not a provider's to give, whatever its configuration says. */
function checkOwnNames({ name, groups }: User): void {
  const wrong = [name, ...groups].find((text) => text.startsWith(ownPrefix));
  if (wrong !== undefined)
    throw new Error(`oidc: ${quoted(wrong)} is not allowed: names that begin with system: are the cluster's own`);
}

/** Compiles the mappings and rules. Throws for an expression that is refused. */
export function userMapping({
  claimMappings,
  claimValidationRules = [],
  userValidationRules = [],
}: JwtAuthenticator): UserOf {
  const mapped = {
    name: usernameMapping(claimMappings.username),
    groups: groupsMapping(claimMappings.groups),
    uid: uidMapping(claimMappings.uid),
    extra: extraMapping(claimMappings.extra),
  };
  const checkRequired = requiredClaims(claimValidationRules);
  const checkClaims = rulesOf("claims", "claim validation expression", claimValidationRules);
  const checkUser = rulesOf("user", "user info validation rule", userValidationRules);
  return (claims) => {
    const token: Token = { claims, value: expressionValue(claims) };
    const [name, groups, uid, extra] = [
      mapped.name(token),
      mapped.groups(token),
      mapped.uid(token),
      mapped.extra(token),
    ];
    const user: User = {
      ...{ name, groups },
      ...(uid && { uid }),
      ...(Object.keys(extra).length > 0 && { extra }),
    };
    checkOwnNames(user);
    checkRequired(claims);
    checkClaims(token.value);
    checkUser({ username: name, uid: uid ?? "", groups: [...groups], extra: expressionValue(extra) });
    return { ...user, groups: [...groups, "system:authenticated"] };
  };
}
