// List and watch options: validation, and the revision they select.
import { expect, test } from "vitest";
import type { ApiError } from "../../../api/errors.ts";
import { listQuery, momentOf, parseRevision } from "../../../apiserver/request/options.ts";

/** The revision a query selects, or its error. */
function parsed(query: string): unknown {
  try {
    const options = listQuery(new URLSearchParams(query), undefined);
    if (!options.watch) return momentOf(options);
    return `${options.sendInitialEvents ?? "no word"} ${options.resourceVersionMatch}`.trim();
  } catch (e) {
    const { reason, message } = e as ApiError;
    return `${reason}: ${message.replace('ListOptions.meta.k8s.io "" is invalid: ', "")}`;
  }
}

const match = "resourceVersionMatch";
const lists = [
  ["", {}],
  ["resourceVersion=0", {}],
  ["resourceVersion=7", { atLeast: 7 }],
  ["resourceVersion=7&limit=5", { at: 7 }],
  ["resourceVersion=7&limit=0", { atLeast: 7 }],
  ["resourceVersion=0&limit=5", {}],
  [`resourceVersion=7&limit=5&${match}=NotOlderThan`, { atLeast: 7 }],
  [`resourceVersion=7&${match}=Exact`, { at: 7 }],
  [`resourceVersion=0&${match}=NotOlderThan`, {}],
  ["continue=x", {}],
  ["continue=x&resourceVersion=0", {}],
  ["continue=x&resourceVersion=7", "BadRequest: specifying resource version is not allowed when using continue"],
  [`${match}=Exact`, `Invalid: ${match}: Forbidden: ${match} is forbidden unless resourceVersion is provided`],
  [
    `${match}=Exact&resourceVersion=0`,
    `Invalid: ${match}: Forbidden: ${match} "exact" is forbidden for resourceVersion "0"`,
  ],
  [
    `${match}=Exact&resourceVersion=7&continue=x`,
    `Invalid: ${match}: Forbidden: ${match} is forbidden when continue is provided`,
  ],
  [
    `${match}=Some&resourceVersion=7`,
    `Invalid: ${match}: Unsupported value: "Some": supported values: "Exact", "NotOlderThan", ""`,
  ],
  [
    `${match}=Some`,
    `Invalid: [${match}: Forbidden: ${match} is forbidden unless resourceVersion is provided, ${match}: Unsupported value: "Some": supported values: "Exact", "NotOlderThan", ""]`,
  ],
  ["sendInitialEvents=false", "Invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"],
  ["limit=many", 'BadRequest: strconv.ParseInt: parsing "many": invalid syntax'],
  ["limit=", 'BadRequest: strconv.ParseInt: parsing "": invalid syntax'],
  ["timeoutSeconds=99999999999999999999", /parsing "99999999999999999999": value out of range/],
  [
    "resourceVersion=x",
    'BadRequest: invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
  ],
  ["watch=0&resourceVersion=7", { atLeast: 7 }],
  ["watch=FALSE", {}],
] as const;
for (const [query, expected] of lists)
  test(`list ?${query}`, () =>
    expected instanceof RegExp ? expect(parsed(query)).toMatch(expected) : expect(parsed(query)).toEqual(expected));

const watches = [
  ["watch", "true NotOlderThan"],
  ["watch=1&resourceVersion=0", "true NotOlderThan"],
  ["watch=1&resourceVersion=7", "no word"],
  [`watch=1&sendInitialEvents=true&${match}=NotOlderThan&resourceVersion=7`, "true NotOlderThan"],
  [`watch=1&sendInitialEvents=false&${match}=NotOlderThan`, "false NotOlderThan"],
  [
    "watch=1&sendInitialEvents=true",
    `Invalid: ${match}: Forbidden: sendInitialEvents requires setting ${match} to NotOlderThan`,
  ],
  [
    `watch=1&${match}=NotOlderThan`,
    `Invalid: ${match}: Forbidden: ${match} is forbidden for watch unless sendInitialEvents is provided`,
  ],
  [
    `watch=1&${match}=Exact&sendInitialEvents=1`,
    `Invalid: [${match}: Forbidden: sendInitialEvents requires setting ${match} to NotOlderThan, ${match}: Unsupported value: "Exact": supported values: "NotOlderThan"]`,
  ],
  [
    `watch=1&sendInitialEvents=1&${match}=NotOlderThan&continue=x`,
    `Invalid: ${match}: Forbidden: ${match} is forbidden when continue is provided`,
  ],
] as const;
for (const [query, expected] of watches)
  test(`watch ?${query}: ${expected}`, () => expect(parsed(query)).toBe(expected));

test("a revision is a number of 64 bits", () => {
  expect([parseRevision(""), parseRevision("12"), parseRevision("18446744073709551616")]).toEqual([
    { at: 0 },
    { at: 12 },
    {
      wrong:
        'resourceVersion: Invalid value: "18446744073709551616": strconv.ParseUint: parsing "18446744073709551616": value out of range',
    },
  ]);
});
