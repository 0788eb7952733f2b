// What the default roles give to controllers is what their declarations need.
import { expect, test } from "vitest";
import type { PolicyRule } from "../../../api/generated/types.ts";
import { uncovered } from "../../../api/rbac/coverage.ts";
import { componentUser, controllerUser } from "../../../apiserver/authentication/components.ts";
import type { User } from "../../../apiserver/authorization/authorizer.ts";
import { rulesFor } from "../../../apiserver/authorization/rbac/decide.ts";
import { ownRoles } from "../../../apiserver/bootstrap/roles/own.ts";
import { certificateApprover } from "../../../controllers/certificates/approver.ts";
import { certificateSigner } from "../../../controllers/certificates/signer.ts";
import { controllers } from "../../../controllers/controllers.ts";
import { driverControllers } from "../../../controllers/csi/controllers.ts";
import { serviceAccountTokenController } from "../../../controllers/serviceaccounttokens/controller.ts";
import { type Controller, rightsOf, viewRightsOf } from "../../../machinery/controller.ts";
import { controllerOptions } from "../../sim/cluster.ts";
import { grantsOf } from "../../sim/identities.ts";

const grants = grantsOf();
const ofManager: readonly Controller[] = [
  ...controllers({ ...controllerOptions, joinServer: "https://192.0.2.1" }),
  certificateApprover(undefined as never, []),
  certificateSigner(undefined as never),
  serviceAccountTokenController(undefined as never, undefined as never),
];
const manager = componentUser("kube-controller-manager");
const csiUser: User = { name: "orrery.dev:csi-driver:n1", groups: ["orrery.dev:csi-drivers", "system:authenticated"] };
const capabilities = new Set(
  (
    [
      ...["MODIFY_VOLUME", "CLONE_VOLUME", "CREATE_DELETE_SNAPSHOT"],
      ...["PUBLISH_UNPUBLISH_VOLUME", "GET_CAPACITY"],
    ] as const
  ).map((name) => name as never),
);
const besideDriver = driverControllers({
  ...{ driver: "a.example", calls: undefined as never, capabilities },
  node: { name: "n1", segments: {} },
});

const rulesOf = (rights: ReturnType<typeof rightsOf>): readonly PolicyRule[] =>
  rights.map(({ group, resource, names, verbs }) => ({
    ...{ apiGroups: [group], resources: [resource], verbs: [...verbs] },
    ...(names && { resourceNames: [...names] }),
  }));
/** What a user lacks of rights, everywhere or in one of some namespaces, in one line each. */
const missing = (user: User, rights: ReturnType<typeof rightsOf>, ...namespaces: string[]): readonly string[] =>
  uncovered(
    [undefined, ...namespaces].flatMap((at) => rulesFor(grants, user, at).rules),
    rulesOf(rights),
  ).map(({ verbs, apiGroups, resources }) => `${verbs} ${apiGroups} ${resources}`);

test.each(ofManager.map((c): [string, Controller] => [c.name, c]))("%s may do what it declares", (_, c) => {
  expect(missing(controllerUser(c.account), rightsOf(c), "kube-system", "kube-public")).toEqual([]);
  expect(missing(manager, viewRightsOf(c))).toEqual([]);
});

test.each(besideDriver.map((c): [string, Controller] => [c.name, c]))("%s may do what it declares", (_, c) => {
  expect(missing(csiUser, [...rightsOf(c), ...viewRightsOf(c)], "kube-system")).toEqual([]);
});

test("a controller has no right of another one", () => {
  const other = ofManager.find(({ name }) => name === "deployment")!;
  expect(missing(controllerUser("job-controller"), rightsOf(other))).not.toEqual([]);
});

test("own roles of controllers have nothing that is not declared", () => {
  const declared = Map.groupBy(ofManager, ({ account }) => account);
  const extra = ownRoles.flatMap(([{ kind }, { metadata, rules }]) => {
    const account = metadata.name.replace("orrery.dev:controller:", "");
    const own = declared.get(account);
    if (kind !== "ClusterRole" || own === undefined) return [];
    return uncovered(rulesOf(own.flatMap(rightsOf)), rules ?? []).map(
      ({ verbs, apiGroups, resources }) => `${account}: ${verbs} ${apiGroups} ${resources}`,
    );
  });
  // Events are not declared.
  expect(extra.filter((line) => !line.endsWith("events"))).toEqual([]);
});
