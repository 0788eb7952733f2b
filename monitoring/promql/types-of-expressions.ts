// The type of an expression's value.
import type { Expression, ValueType } from "./expression.ts";
import { signatures } from "./signatures.ts";

export function typeOf(expression: Expression): ValueType {
  switch (expression.type) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vector":
    case "aggregate":
      return "vector";
    case "matrix":
    case "subquery":
      return "matrix";
    case "negation":
      return typeOf(expression.expression);
    case "binary":
      return typeOf(expression.left) === "scalar" && typeOf(expression.right) === "scalar" ? "scalar" : "vector";
    case "call":
      return signatures.get(expression.name)!.returns;
  }
}
