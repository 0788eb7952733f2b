// Bad input is refused before anything is sent: exit code 1, and one line that says what to do.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandTable } from "../../../cli/command-table.ts";
import { errorText, exitCodeOf } from "../../../cli/program/report.ts";
import { run } from "../../../cli/program/run.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-bad-input-"));
const file = (name: string): string => join(folder, name);
let server: Server;
let requests = 0;
beforeAll(async () => {
  server = createServer((_request, response) => {
    requests++;
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const config = `apiVersion: v1
kind: Config
current-context: c
contexts:
- name: c
  context:
    cluster: c
    user: u
clusters:
- name: c
  cluster:
    server: http://127.0.0.1:${port}
users:
- name: u
  user: {}
`;
  writeFileSync(file("config"), config);
  writeFileSync(file("empty.yaml"), "");
  writeFileSync(file("text.yaml"), "a: b\n");
  writeFileSync(file("broken.yaml"), "a: [\n");
  writeFileSync(file("notes.txt"), "hello\n");
  writeFileSync(file("broken-config"), "a: [\n");
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Each row: what is typed, with FOLDER for a folder of files, and the first line of the answer. */
const rows: readonly (readonly [typed: string, answer: string])[] = [
  // The program.
  ["gett pods", 'error: unknown command "gett" for "orrery"'],
  ["--nope", "error: unknown flag: --nope"],
  ["-n", "error: flag needs an argument: 'n' in -n"],
  ["-n x", "error: say which command to run"],
  ["rollout foo", 'error: unknown command "foo"'],
  ["rollout statsu deploy/web", 'error: unknown command "statsu"'],
  ["config foo", 'error: unknown command "foo"'],
  ["auth foo", 'error: unknown command "foo"'],
  // Flags.
  ["get pods --selctor=a", "error: unknown flag: --selctor"],
  ["get pods -n", "error: flag needs an argument: 'n' in -n"],
  ["get pods --namespace", "error: flag needs an argument: --namespace"],
  ["get pods -xyz", "error: unknown shorthand flag: 'x' in -xyz"],
  ["get pods --=x", "error: bad flag syntax: --=x"],
  [
    "get pods --watch=maybe",
    'error: invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  ["get pods -v=x", 'error: invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  [
    "get pods --chunk-size=x",
    'error: invalid argument "x" for "--chunk-size" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    "get pods --request-timeout=abc",
    "error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
  ],
  ["get pods --context nope", "Error in configuration: context was not found for specified context: nope"],
  ["get pods --cluster nope", 'error: no server found for cluster "nope"'],
  ["get pods --user nope", 'error: auth info "nope" does not exist'],
  ["get pods --kubeconfig /nope", "error: stat /nope: no such file or directory"],
  [
    "get pods --kubeconfig FOLDER/broken-config",
    'error: error loading config file "FOLDER/broken-config": Flow sequence in block collection must be sufficiently indented and end with a ] at line 2, column 1:',
  ],
  ["get pods --kubeconfig FOLDER/config --name lab", "error: --name and --kubeconfig cannot be used together"],
  [
    "get pods --client-certificate /nope",
    "error: unable to read the file /nope: ENOENT: no such file or directory, open '/nope'",
  ],
  // Arguments.
  [
    "get pod/x y",
    "error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'orrery get resource/<resource_name>' instead of 'orrery get resource resource/<resource_name>'",
  ],
  ["get pod/x/y", "error: arguments in resource/name form may not have more than one slash"],
  ["get /x", "error: arguments in resource/name form must have a single resource and name"],
  ["get pod/", "error: arguments in resource/name form must have a single resource and name"],
  ["get pods x -l a=b", "error: name cannot be provided when a selector is specified"],
  ["get pod/x -l a=b", "error: selectors and the all flag cannot be used when passing resource/name arguments"],
  [
    "get pods -o foo",
    'error: unable to match a printer suitable for the output format "foo", allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml',
  ],
  ["get -f /nope", 'error: the path "/nope" does not exist'],
  [
    "get -f FOLDER/text.yaml pods",
    "error: when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
  ],
  // delete
  ["delete", "error: You must provide one or more resources by argument or filename."],
  ["delete pod", "error: resource(s) were provided, but no name was specified"],
  [
    "delete pod x --grace-period abc",
    'error: invalid argument "abc" for "--grace-period" flag: strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  ["delete pod x --timeout 3", 'error: invalid argument "3" for "--timeout" flag: time: missing unit in duration "3"'],
  [
    "delete pod x --timeout 3x",
    'error: invalid argument "3x" for "--timeout" flag: time: unknown unit "x" in duration "3x"',
  ],
  ["delete pod x --cascade=foo", 'error: invalid cascade value (foo). Must be "background", "foreground", or "orphan"'],
  ["delete pod x --dry-run=foo", 'error: Invalid dry-run value (foo). Must be "none", "server", or "client".'],
  ["delete pod x --now --grace-period=3", "error: --now and --grace-period cannot be specified together"],
  [
    "delete pod x --force --grace-period=2",
    "error: --force and --grace-period greater than 0 cannot be specified together",
  ],
  ["delete pod x -o yaml", "error: unexpected -o output mode: yaml. We only support '-o name'"],
  ["delete pods --all x", "error: name cannot be provided when a selector is specified"],
  ["delete pods --all -l a=b", "error: setting 'all' parameter but found a non empty selector. "],
  [
    "delete -f FOLDER/notes.txt x",
    "error: when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
  ],
  ["delete -k FOLDER -f FOLDER", "error: only one of -f or -k can be specified"],
  ["delete pods --raw /x", "error: arguments may not be passed when --raw is specified"],
  // apply
  ["apply", "error: must specify one of -f and -k"],
  ["apply -f /nope", 'error: the path "/nope" does not exist'],
  ["apply -f FOLDER/text.yaml x", "error: Unexpected args: [x]"],
  ["apply -f FOLDER/text.yaml", "error: FOLDER/text.yaml:1: apiVersion is not set"],
  ["apply -f FOLDER/empty.yaml", "error: no objects passed to apply"],
  [
    "apply -f FOLDER/broken.yaml",
    "error: FOLDER/broken.yaml:2: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["apply -k FOLDER", "error: orrery does not build kustomizations"],
  ["apply -f FOLDER/text.yaml --prune", "error: --prune is not supported"],
  ["apply -f FOLDER/text.yaml --force-conflicts", "error: --force-conflicts only works with --server-side"],
  ["apply -f FOLDER/text.yaml --force --server-side", "error: --force cannot be used with --server-side"],
  [
    "apply -f FOLDER/text.yaml --server-side --dry-run=client",
    "error: --dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
  ],
  [
    "apply -f FOLDER/text.yaml --validate=foo",
    'error: invalid - validate option "foo"; must be one of: strict (or true), warn, ignore (or false)',
  ],
  [
    "apply view-last-applied cm/c -o foo",
    "error: Unexpected -o output mode: foo, the flag 'output' must be one of yaml|json",
  ],
  ["apply set-last-applied", "error: must specify one of -f and -k"],
  // logs
  ["logs", "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'."],
  ["logs a b c", "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'."],
  ["logs -l app=web x", "error: only a selector (-l) or a POD name is allowed"],
  [
    "logs x --tail abc",
    'error: invalid argument "abc" for "--tail" flag: strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  ["logs x --tail=-2", "error: --tail must be greater than or equal to -1"],
  ["logs x --since abc", 'error: invalid argument "abc" for "--since" flag: time: invalid duration "abc"'],
  ["logs x --since=-5s", "error: --since must be greater than 0"],
  [
    "logs x --since=1h --since-time=2020-01-01T00:00:00Z",
    "error: at most one of `sinceTime` or `sinceSeconds` may be specified",
  ],
  ["logs x --since-time=foo", 'error: "foo" is not a time'],
  ["logs x --limit-bytes=-1", "error: --limit-bytes must be greater than 0"],
  ["logs x --all-containers -c a", "error: --all-containers=true should not be specified with container name a"],
  ["logs x --max-log-requests=0", "error: --max-log-requests must be greater than 0"],
  // Sessions.
  ["attach", "error: at least 1 argument is required for attach"],
  ["attach a b c", "error: expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw 3: [a b c]"],
  ["attach x --pod-running-timeout=0", "error: --pod-running-timeout must be higher than zero"],
  ["attach x --detach-keys=foo", "error: could not bind detach keys: Unknown character: 'foo'"],
  ["run x --image=i --detach-keys=foo", "error: could not bind detach keys: Unknown character: 'foo'"],
  ["run x --image=i --rm", "error: --rm should only be used for attached containers"],
  ["run x --image=i -t", "error: -i/--stdin is required for containers with -t/--tty=true"],
  ["port-forward", "error: TYPE/NAME and list of ports are required for port-forward"],
  ["port-forward x", "error: TYPE/NAME and list of ports are required for port-forward"],
  ["port-forward x 80:80:80", "error: invalid port format '80:80:80'"],
  ["port-forward x 80:", "error: remote port cannot be empty"],
  ["port-forward x 80:0", "error: remote port must be > 0"],
  ["port-forward x 80 --address=foo", "error: foo is not a valid IP"],
  ["port-forward x 80 --address=", "error: you must specify at least 1 address"],
  ["port-forward x 80 --pod-running-timeout=-1s", "error: --pod-running-timeout must be higher than zero"],
  ["cp a", "error: source and destination are required"],
  ["cp a b", "error: one of src or dest must be a remote file specification"],
  ["cp x:a y:b", "error: one of src or dest must be a local file specification"],
  ["cp /nope x:/tmp", "error: /nope doesn't exist in local filesystem"],
  [
    "cp x:a b --retries=x",
    'error: invalid argument "x" for "--retries" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  ["proxy --port=99999", "error: listen tcp: address 99999: invalid port"],
  ["proxy --unix-socket=/tmp/s --port=1", "error: cannot set --unix-socket and --port at the same time"],
  [
    "proxy --accept-paths=[",
    "error: Error compiling re: Invalid regular expression: /[/: Unterminated character class",
  ],
  ["debug", "error: you must specify --image when not using --copy-to."],
  ["debug --image=i", "error: NAME or filename is required for debug"],
  ["debug x --image=i --profile=foo", "error: unknown profile: foo"],
  ["debug x --image=A", 'error: invalid image name "A": invalid reference format'],
  ["debug x --image=i -t", "error: -i/--stdin is required for containers with -t/--tty=true"],
  ["debug x --image=i --replace", "error: --replace may only be used with --copy-to."],
  ["debug x --image=i --same-node", "error: --same-node may only be used with --copy-to."],
  ["debug x --image=i --set-image=a=b", "error: --set-image may only be used with --copy-to."],
  ["debug x --copy-to=y", "error: you must specify --image, --set-image or command arguments."],
  ["debug x --copy-to=y -- sh", "error: you must specify an existing container or a new image when specifying args."],
  [
    "debug x --copy-to=y --image=i --target=c",
    "error: --target is incompatible with --copy-to. Use --share-processes instead.",
  ],
  ["debug x --image=i --env=x", 'error: invalid argument "x" for "--env" flag: x must be formatted as key=value'],
  ["debug x --image=i --image-pull-policy=x", "error: invalid image pull policy: x"],
  [
    "debug x --image=i --custom=/nope",
    "error: must pass a container spec json file for custom profile: open /nope: no such file or directory",
  ],
  [
    "debug x --attach --copy-to=y --set-image=a=b",
    "error: you must specify --container or create a new container using --image in order to attach.",
  ],
  // exec
  ["exec", "error: pod, type/name or --filename must be specified"],
  ["exec x", "error: you must specify at least one command for the container"],
  ["exec x ls", "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead"],
  ["exec x y -- ls", "error: one pod is expected before --, not x y"],
  ["exec -- ls", "error: pod, type/name or --filename must be specified"],
  [
    "exec x --pod-running-timeout=1 -- ls",
    'error: invalid argument "1" for "--pod-running-timeout" flag: time: missing unit in duration "1"',
  ],
  // rollout, wait
  ["rollout status", "error: required resource not specified"],
  ["rollout status deploy/web --revision=-1", "error: revision must be a positive integer: -1"],
  [
    "rollout status deploy/web --timeout=5",
    'error: invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"',
  ],
  [
    "rollout undo deploy/web --to-revision=x",
    'error: invalid argument "x" for "--to-revision" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  [
    "rollout undo deploy/web --dry-run=foo",
    'error: Invalid dry-run value (foo). Must be "none", "server", or "client".',
  ],
  ["wait pod/x", "error: unrecognized condition: []"],
  ["wait pod/x --for=foo", 'error: unrecognized condition: "foo"'],
  ["wait pod/x --for=condition=", 'error: unrecognized condition: "condition="'],
  [
    "wait pod/x --for=delete --timeout=abc",
    'error: invalid argument "abc" for "--timeout" flag: time: invalid duration "abc"',
  ],
  ["wait pods --for=delete", "error: resource(s) were provided, but no name was specified"],
  // version, auth, certificate, url, config
  ["version -o foo", "error: --output must be 'yaml' or 'json'"],
  ["auth can-i list", "error: you must specify two arguments: verb resource or verb resource/resourceName."],
  ["auth can-i --list get pods", "error: list option must be specified with no arguments"],
  ["auth can-i get /healthz --subresource=x", "error: --subresource can not be used with NonResourceURL"],
  [
    "auth whoami -o foo",
    'error: unable to match a printer suitable for the output format "foo", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml',
  ],
  ["certificate approve", "error: one or more CSRs must be specified as <name> or -f <filename>"],
  ["url", "error: say which service"],
  ["config use-context nope", 'error: no context exists with the name: "nope"'],
  ["config set foo bar", "error: unable to parse foo after [] at api.Config"],
  ["config set-context", "error: you must specify a non-empty context name or --current"],
  ["config delete-context nope", "error: cannot delete context nope, not in FOLDER/config"],
  ["config get-contexts -o foo", "error: output must be one of '' or 'name': foo"],
  [
    "config view -o foo",
    'error: unable to match a printer suitable for the output format "foo", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml',
  ],
  ["config view --merge=false", "error: if merge==false a precise file must be specified"],
  ["get pods -o go-template={{.kind}}", "error: go-template needs kubectl: use -o jsonpath or -o json | jq"],
  ["apply edit-last-applied cm", "error: resource(s) were provided, but no name was specified"],
  ["auth reconcile", "error: must specify one of -f and -k"],
  [
    "auth reconcile -f FOLDER/text.yaml --dry-run=server",
    "error: --dry-run=server for command reconcile is not supported yet",
  ],
  ["diff --nope", "error: unknown flag: --nope"],
  [
    "cluster-info dump -o foo",
    'error: unable to match a printer suitable for the output format "foo", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml',
  ],
  // Orrery's own commands.
  ["up --nodes x", 'error: "x" is no number of nodes'],
  ["up --store foo", 'error: there is no store "foo"'],
  ["cluster list -o foo", 'error: clusters cannot be printed as "foo"'],
  ["completion foo", 'error: no completion for "foo"'],
  // The interactive view.
  ["ui", "error: orrery ui needs a terminal for its input and output; in scripts, use orrery get"],
  ["ui pods nodes", "error: one TYPE is expected, not pods nodes"],
];

/** The text and the exit code of a command that is refused. */
async function refusal(args: readonly string[]): Promise<{ readonly text: string; readonly exitCode: number }> {
  try {
    await run(args, commandTable, { KUBECONFIG: file("config") });
  } catch (error) {
    return { text: errorText(error), exitCode: exitCodeOf(error) };
  }
  throw new Error("the command was not refused");
}

test.each(rows)("orrery %s", async (typed, answer) => {
  requests = 0;
  const args = typed.split(" ").map((word) => word.replace("FOLDER", folder));
  const { text, exitCode } = await refusal(args);
  expect(text.split("\n")[0]).toBe(answer.replaceAll("FOLDER", folder));
  expect(exitCode === 1 || exitCode === 2).toBe(true);
  expect(requests).toBe(0);
});

test("the table is long enough", () => expect(rows.length).toBeGreaterThanOrEqual(80));
