// Flags as pflag reads them.
import { Option } from "commander";
import { expect, test } from "vitest";
import { FlagError, parseFlags, splitAtWord } from "../../../../cli/program/flag-parser.ts";
import { boolean, duration, integer, list, strings } from "../../../../cli/program/flag-values.ts";

const options: readonly Option[] = [
  new Option("-n, --namespace <namespace>"),
  new Option("-i, --stdin"),
  new Option("-t, --tty"),
  new Option("--wait"),
  new Option("--dry-run [strategy]").preset("unchanged"),
  new Option("-f, --filename <path>").argParser(list as (text: string) => unknown),
  new Option("--set <pair>").argParser(strings as (text: string) => unknown),
  new Option("--replicas <n>").argParser(integer),
];
const parsed = (line: string) => {
  const { values, args, argsBeforeDash, wantsHelp } = parseFlags(line.split(" "), options);
  const named = Object.fromEntries([...values].map(([option, value]) => [option.attributeName(), value]));
  return [
    named,
    args.join(" "),
    ...(argsBeforeDash === undefined ? [] : [argsBeforeDash]),
    ...(wantsHelp ? ["help"] : []),
  ];
};

test.each<[line: string, expected: readonly unknown[]]>([
  ["-n ux pods", [{ namespace: "ux" }, "pods"]],
  ["-nux pods", [{ namespace: "ux" }, "pods"]],
  ["-n=ux pods", [{ namespace: "ux" }, "pods"]],
  ["--namespace=ux pods", [{ namespace: "ux" }, "pods"]],
  ["--namespace ux pods", [{ namespace: "ux" }, "pods"]],
  ["pods -n ux", [{ namespace: "ux" }, "pods"]],
  ["pods --namespace=", [{ namespace: "" }, "pods"]],
  ["-n a -n b", [{ namespace: "b" }, ""]],
  ["-it p", [{ stdin: true, tty: true }, "p"]],
  ["-itn=ux p", [{ stdin: true, tty: true, namespace: "ux" }, "p"]],
  ["-itnux p", [{ stdin: true, tty: true, namespace: "ux" }, "p"]],
  ["--wait=false p", [{ wait: false }, "p"]],
  ["--wait false", [{ wait: true }, "false"]],
  ["-t=0 p", [{ tty: false }, "p"]],
  ["--dry-run client", [{ dryRun: "unchanged" }, "client"]],
  ["--dry-run=client", [{ dryRun: "client" }, ""]],
  ["-f a,b -f c", [{ filename: ["a", "b", "c"] }, ""]],
  ["--set a,b --set c", [{ set: ["a,b", "c"] }, ""]],
  ["--replicas=-1", [{ replicas: -1 }, ""]],
  ["p -- ls -la --help", [{}, "p ls -la --help", 1]],
  ["- x", [{}, "- x"]],
  ["p --help", [{}, "p", "help"]],
  ["-h", [{}, "", "help"]],
])("%s", (line, expected) => expect(parsed(line)).toEqual(expected));

test.each([
  ["--nope", "unknown flag: --nope"],
  ["--nope=1", "unknown flag: --nope"],
  ["-x", "unknown shorthand flag: 'x' in -x"],
  ["-ix", "unknown shorthand flag: 'x' in -ix"],
  ["-n", "flag needs an argument: 'n' in -n"],
  ["--namespace", "flag needs an argument: --namespace"],
  ["--=x", "bad flag syntax: --=x"],
  ["---x", "bad flag syntax: ---x"],
  ["--wait=maybe", 'invalid argument "maybe" for "--wait" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ["--replicas=1.5", 'invalid argument "1.5" for "--replicas" flag: strconv.ParseInt: parsing "1.5": invalid syntax'],
])("%s is refused", (line, message) => {
  expect(() => parsed(line)).toThrow(message);
  expect(() => parsed(line)).toThrow(FlagError);
});

test.each([
  ["10", 10],
  ["-1", -1],
  ["0x1f", 31],
  ["017", 15],
  ["0b11", 3],
])("the integer %s", (text, value) => expect(integer(text)).toBe(value));

test.each([
  ["0", 0],
  ["300ms", 300],
  ["1h30m", 5_400_000],
  ["1.5s", 1500],
  ["-1s", -1000],
])("the duration %s", (text, ms) => expect(duration(text)).toBe(ms));
test.each(["", "3", "3x", "s", "1h3"])("%j is no duration", (text) => expect(() => duration(text)).toThrow(/^time: /));

test("booleans are Go's", () => {
  expect(["1", "t", "TRUE", "0", "F", "false"].map(boolean)).toEqual([true, true, true, false, false, false]);
});

test.each([
  ["get pods", "get", "pods"],
  ["-n ux get pods", "get", "-n ux pods"],
  ["-n=ux get pods", "get", "-n=ux pods"],
  ["-it get x", "get", "-it x"],
  ["-A get pods", "get", "-A pods"],
  ["-o wide get pods", "get", "-o wide pods"],
  ["--unknown value get", "get", "--unknown value"],
  ["--flag=get x", "x", "--flag=get"],
])("the command of: %s", (line, word, rest) => {
  const found = splitAtWord(line.split(" "), options, (arg) => arg === "get");
  expect([found.word, found.rest.join(" ")]).toEqual([word, rest]);
});
