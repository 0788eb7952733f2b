// Which requests `proxy` accepts, and which part of their paths goes to the API server. Pure.
import { posix } from "node:path";
import { CliError } from "../cli-error.ts";

/** Comma-separated regular expressions. */
export interface ProxyPatterns {
  readonly acceptPaths: string;
  readonly rejectPaths: string;
  readonly acceptHosts: string;
  readonly rejectMethods: string;
}

/** The patterns of kubectl. Requests for sessions would run commands for any page in a browser. */
export const defaultPatterns: ProxyPatterns = {
  acceptPaths: "^.*",
  rejectPaths: "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
  acceptHosts: String.raw`^localhost$,^127\.0\.0\.1$,^\[::1\]$`,
  rejectMethods: "^$",
};

function patterns(text: string): readonly RegExp[] {
  if (text === "") return [];
  return text.split(",").map((source) => {
    try {
      // Go has flags at the beginning of a pattern.
      const [, flags = "", rest = source] = /^\(\?([ims]+)\)(.*)$/s.exec(source) ?? [];
      return new RegExp(rest, flags);
    } catch (error) {
      throw new CliError(`Error compiling re: ${(error as Error).message}`);
    }
  });
}

export interface ProxiedRequest {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  /** The header `Host`, with or without a port. */
  readonly host: string;
}

const withoutPort = (host: string): string => /^(\[[^\]]*\]|[^:]*):\d*$/.exec(host)?.[1] ?? host;

/** Whether a request may pass. Throws CliError for patterns that are no regular expressions. */
export function proxyFilter(rules: ProxyPatterns): (request: ProxiedRequest) => boolean {
  const [acceptPaths, rejectPaths, acceptHosts, rejectMethods] = (
    ["acceptPaths", "rejectPaths", "acceptHosts", "rejectMethods"] as const
  ).map((rule) => patterns(rules[rule]));
  const matches = (text: string, all: readonly RegExp[] = []): boolean => all.some((pattern) => pattern.test(text));
  return ({ method, path, host }) =>
    !matches(path, rejectPaths) &&
    !matches(method, rejectMethods) &&
    matches(path, acceptPaths) &&
    matches(withoutPort(host), acceptHosts);
}

/** A prefix of paths, with a slash at its end. */
export const prefixWithSlash = (prefix: string): string => (prefix.endsWith("/") ? prefix : `${prefix}/`);

/**
 * The path at the API server, or undefined for a path without the prefix. A prefix is removed, unless it is one of the
 * API itself.
 */
export function apiPathOf(path: string, prefix: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined;
  return prefix.startsWith("/api") ? path : `/${path.slice(prefix.length).replace(/^\//, "")}`;
}

/** The path to redirect to, for one that is not clean: with `//`, `.` or `..`, or a prefix without its slash. */
export function redirectOf(path: string, prefixes: readonly string[]): string | undefined {
  const clean = posix.normalize(path.startsWith("/") ? path : `/${path}`);
  if (clean !== path) return clean;
  return prefixes.find((prefix) => prefix === `${path}/`);
}
