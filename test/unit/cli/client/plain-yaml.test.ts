// Plain YAML means what a YAML parser reads, or is left to one.
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { parsePlainYaml } from "../../../../cli/client/plain-yaml.ts";

const kubectlStyle = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    server: https://127.0.0.1:6443
  name: lab
contexts:
- context:
    cluster: lab
    namespace: web
    user: "admin"
  name: lab
current-context: lab
kind: Config
preferences: {}
users:
- name: lab
  user:
    exec:
      args:
      - get-token
      - --cluster
      command: aws
      env: null
    token: 'abc'
`;

test("a kubeconfig as kubectl writes it", () => {
  // `--cluster` and `null` could be other values, so this one is left to the parser.
  expect(parsePlainYaml(kubectlStyle)).toBeUndefined();
  const plain = kubectlStyle.replace("      - --cluster\n", "").replace("      env: null\n", "");
  expect(parsePlainYaml(plain)).toEqual(parse(plain));
});

test.each([
  ["a comment between lines", "a: b\n# c\nd: e\n"],
  ["a comment after a value", "a: b # c\n"],
  ["a number", "a: 1\n"],
  ["a literal block", "a: |\n  b\n  c\n"],
  ["a folded scalar", "a: b\n  c\n"],
  ["an anchor", "a: &x b\nc: *x\n"],
  ["a flow map", "a: {b: c}\n"],
  ["an escaped string", 'a: "b\\nc"\n'],
  ["two documents", "a: b\n---\nc: d\n"],
  ["a list in a list", "- - a\n  - b\n"],
  ["a wrong indentation", "a:\n    b: c\n  d: e\n"],
  ["a tab", "a:\n\tb: c\n"],
  ["an empty value", "a:\nb: c\n"],
  ["a key twice", "a: b\na: c\n"],
])("%s is read as by the parser, or not at all", (_, text) => {
  const plain = parsePlainYaml(text);
  if (plain !== undefined) expect(plain).toEqual(parse(text));
});

const value = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, fc.string(), fc.boolean(), fc.constant(null), tie("map"), tie("list")),
  map: fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,8}$/), tie("tree")),
  list: fc.array(tie("tree"), { maxLength: 3 }),
}));
test("what it reads is what a parser reads", () => {
  fc.assert(
    fc.property(value["map"]!, (object) => {
      const text = stringify(object);
      const plain = parsePlainYaml(text);
      if (plain !== undefined) expect(plain).toEqual(parse(text));
    }),
    { numRuns: 500 },
  );
});
