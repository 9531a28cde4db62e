/** One field that a server asks for. */
export interface FormField {
  name: string;
  title: string;
  description: string | null;
  kind: "text" | "number" | "boolean" | "choice" | "choices" | "json";
  required: boolean;
  /** What stands there first. */
  initial: FieldValue;
  options: { value: string; title: string }[];
  /** Numbers without a fraction only. */
  whole: boolean;
}

/** What stands in a field: text (also of numbers and JSON), a switch, or several choices. */
export type FieldValue = string | boolean | string[];

type Json = Record<string, unknown>;

const MOST_FIELDS = 64;
const MOST_OPTIONS = 200;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** `enum` with or without `enumNames`, or a list of `{const, title}`. */
function optionsOf(schema: Json): FormField["options"] {
  const titled = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(titled)) {
    return titled
      .filter(isObject)
      .flatMap((each) => {
        const value = text(each.const);
        return value === null ? [] : [{ value, title: text(each.title) ?? value }];
      })
      .slice(0, MOST_OPTIONS);
  }
  if (!Array.isArray(schema.enum)) return [];
  const names = Array.isArray(schema.enumNames) ? schema.enumNames : [];
  return schema.enum
    .flatMap((each, index) => {
      const value = text(each);
      return value === null ? [] : [{ value, title: text(names[index]) ?? value }];
    })
    .slice(0, MOST_OPTIONS);
}

function kindOf(schema: Json, options: FormField["options"]): FormField["kind"] {
  switch (schema.type) {
    case "string":
      return options.length > 0 ? "choice" : "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return options.length > 0 ? "choices" : "json";
    default:
      return options.length > 0 ? "choice" : "json";
  }
}

function initialOf(kind: FormField["kind"], given: unknown): FieldValue {
  switch (kind) {
    case "boolean":
      return given === true;
    case "choices":
      return Array.isArray(given) ? given.filter((each) => typeof each === "string") : [];
    case "number":
      return typeof given === "number" ? String(given) : "";
    case "json":
      return given === undefined ? "" : JSON.stringify(given);
    default:
      return text(given) ?? "";
  }
}

/** The fields of a form's JSON Schema; null for what is no form. */
export function fieldsOf(schemaText: string | null): FormField[] | null {
  let schema: unknown;
  try {
    schema = JSON.parse(schemaText ?? "");
  } catch {
    return null;
  }
  if (!isObject(schema) || !isObject(schema.properties)) return null;
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties)
    .slice(0, MOST_FIELDS)
    .map(([name, property]) => {
      const own = isObject(property) ? property : {};
      const options = optionsOf(own.type === "array" && isObject(own.items) ? own.items : own);
      const kind = kindOf(own, options);
      return {
        name,
        title: text(own.title) ?? name,
        description: text(own.description),
        kind,
        required: required.includes(name),
        initial: initialOf(kind, own.default),
        options,
        whole: own.type === "integer",
      };
    });
}

/** What the operator filled in, as JSON text, or the fields that are missing or wrong. */
export function contentOf(
  fields: FormField[],
  values: ReadonlyMap<string, FieldValue>,
): { content: string } | { wrong: string[] } {
  const content: [string, unknown][] = [];
  const wrong: string[] = [];
  for (const field of fields) {
    const value = values.get(field.name) ?? field.initial;
    if (typeof value !== "string") {
      const empty = Array.isArray(value) && value.length === 0;
      if (empty && field.required) wrong.push(field.title);
      else if (!empty) content.push([field.name, value]);
      continue;
    }
    if (value.trim() === "") {
      if (field.required) wrong.push(field.title);
      continue;
    }
    if (field.kind === "number") {
      const number = Number(value);
      if (!Number.isFinite(number) || (field.whole && !Number.isInteger(number))) wrong.push(field.title);
      else content.push([field.name, number]);
    } else if (field.kind === "json") {
      try {
        content.push([field.name, JSON.parse(value)]);
      } catch {
        wrong.push(field.title);
      }
    } else {
      content.push([field.name, value]);
    }
  }
  // Not a plain object: a server may name a field `__proto__`.
  const body = content.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",");
  return wrong.length > 0 ? { wrong } : { content: `{${body}}` };
}
