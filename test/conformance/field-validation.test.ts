// Field validation of typed objects.
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";

const deployment = (metadata: string, spec: string): string =>
  `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"my-dep",${metadata}"labels":{"app":"nginx"}},
    "spec":{${spec}"selector":{"matchLabels":{"app":"nginx"}},"template":{"metadata":{"labels":{"app":"nginx"}},
    "spec":{"containers":[{"name":"nginx","image":"nginx:latest"}]}}}}`;
const query = "fieldManager=field_validation_mgr&fieldValidation=Strict";
const headers = { "content-type": "application/json" };

behaviour(
  "FieldValidation should detect unknown and duplicate fields of a typed object",
  async ({ send, namespace }) => {
    const body = deployment("", '"unknownField":"foo","replicas":2,"replicas":3,');
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments?${query}`;
    const { text } = await send(path, { method: "POST", headers, body });
    expect(JSON.parse(text).message).toContain(
      'strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"',
    );
  },
);

behaviour("FieldValidation should detect unknown metadata fields of a typed object", async ({ send, namespace }) => {
  const body = deployment('"unknownMeta":"foo",', "");
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?${query}`;
  const { text } = await send(path, { method: "POST", headers, body });
  expect(JSON.parse(text).message).toContain('strict decoding error: unknown field "metadata.unknownMeta"');
});
