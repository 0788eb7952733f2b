// What a machine's own record says about the powers its containers can have.
import { describe, expect, test } from "vitest";
import { isAboutPrivileges, privilegeFlags, privilegesFrom } from "../../../../cli/cluster/privileges.ts";

const status = (bounding: string): string =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t${bounding}\nCapEff:\t${bounding}\nCapBnd:\t${bounding}\nCapAmb:\t0000000000000000\n`;

const recorded = [
  ["every capability of a kernel with 41 of them", status("000001ffffffffff"), "40\n", "full"],
  ["the one to raise limits is missing", status("000001fffeffffff"), "40\n", "fallback"],
  ["an older kernel with all of its 38", status("0000003fffffffff"), "37\n", "full"],
  ["a container with Docker's usual set", status("00000000a80425fb"), "40\n", "fallback"],
  ["a machine that does not say", "Name:\tnode\n", "40\n", "full"],
] as const;

describe("privileges", () => {
  for (const [what, text, last, expected] of recorded)
    test(what, () => expect(privilegesFrom(text, last)).toBe(expected));
});

test("the fallback asks for everything but what is missing", () => {
  expect(privilegeFlags("full")).toEqual(["--privileged"]);
  expect(privilegeFlags("fallback").join(" ")).toContain("--cap-add ALL --cap-drop SYS_RESOURCE");
});

test("an engine's refusals are told apart", () => {
  expect(isAboutPrivileges("OCI runtime create failed: unable to apply caps: operation not permitted: unknown")).toBe(
    true,
  );
  expect(isAboutPrivileges("Bind for 127.0.0.1:6443 failed: port is already allocated")).toBe(false);
});
