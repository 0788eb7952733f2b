// What can be wrong with the variables of a container and where their values come from.
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from "../../generated/types.ts";
import { validateDataKey } from "../../data-keys.ts";
import type { Problem } from "../../errors.ts";
import { validateLabelName, validateSubdomainName } from "../../names.ts";
import { each, invalid, none, required, together } from "../../problems.ts";
import { fieldsOfVariables, validateFieldRef, validateResourceRef } from "./downward.ts";
import { withoutBacksteps } from "./paths.ts";

const printable = /^[\x20-\x3c\x3e-\x7e]*$/;

/** Whatever can be printed, but not what ends a name. */
const validateName = (name: string, path: string): readonly Problem[] =>
  printable.test(name)
    ? none
    : [
        invalid(
          path,
          name,
          "a valid environment variable name must consist only of printable ASCII characters other than '='",
        ),
      ];

interface KeyRef {
  readonly name?: string;
  readonly key: string;
}
const validateKeyRef = ({ name = "", key }: KeyRef, path: string): readonly Problem[] => [
  ...validateSubdomainName(name, `${path}.name`),
  ...(key ? validateDataKey(key, `${path}.key`) : [required(`${path}.key`)]),
];

const validateFileKey = ({ key, path: file, volumeName }: FileKeySelector, path: string): readonly Problem[] => [
  ...(key ? validateName(key, `${path}.key`) : [required(`${path}.key`)]),
  ...(volumeName ? validateLabelName(volumeName, `${path}.volumeName`) : [required(`${path}.volumeName`)]),
  ...(file ? withoutBacksteps(file, `${path}.path`) : [required(`${path}.path`)]),
];

function validateSource(from: EnvVarSource, value: string | undefined, path: string): readonly Problem[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = from;
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (source) => source !== undefined,
  );
  const count = (): readonly Problem[] => {
    if (sources.length === 0)
      return [
        invalid(
          path,
          "",
          "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
      ];
    if (value) return [invalid(path, "", "may not be specified when `value` is not empty")];
    return sources.length > 1 ? [invalid(path, "", "may not have more than one field specified at a time")] : [];
  };
  return [
    ...(fieldRef ? validateFieldRef(fieldRef, fieldsOfVariables, `${path}.fieldRef`) : []),
    ...(resourceFieldRef ? validateResourceRef(resourceFieldRef, false, `${path}.resourceFieldRef`) : []),
    ...(configMapKeyRef ? validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`) : []),
    ...(secretKeyRef ? validateKeyRef(secretKeyRef, `${path}.secretKeyRef`) : []),
    ...(fileKeyRef ? validateFileKey(fileKeyRef, `${path}.fileKeyRef`) : []),
    ...count(),
  ];
}

/** What is wrong with variables told one by one. */
export const validateEnv = (env: readonly EnvVar[], path: string): readonly Problem[] =>
  each(env, path, ({ name, value, valueFrom }, at) =>
    together(
      name ? validateName(name, `${at}.name`) : [required(`${at}.name`)],
      valueFrom ? validateSource(valueFrom, value, `${at}.valueFrom`) : none,
    ),
  );

const validateRef = (ref: { readonly name?: string } | undefined, path: string): readonly Problem[] =>
  ref === undefined ? [] : ref.name ? validateSubdomainName(ref.name, `${path}.name`) : [required(`${path}.name`)];

/** What is wrong with variables that come all together. */
export const validateEnvFrom = (from: readonly EnvFromSource[], path: string): readonly Problem[] =>
  from.flatMap(({ prefix, configMapRef, secretRef }, i) => [
    ...(prefix ? validateName(prefix, `${path}[${i}].prefix`) : []),
    ...validateRef(configMapRef, `${path}[${i}].configMapRef`),
    ...validateRef(secretRef, `${path}[${i}].secretRef`),
    ...(configMapRef || secretRef ? [] : [invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")]),
    ...(configMapRef && secretRef ? [invalid(path, "", "may not have more than one field specified at a time")] : []),
  ]);
