type Schema = Record<string, unknown>;

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function example(schema: unknown, depth: number): unknown {
  if (!isSchema(schema) || depth > 4) return null;
  if ("default" in schema) return schema.default;
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  const variants = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(variants) && variants.length > 0) return example(variants[0], depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "string":
      return "";
    case "number":
    case "integer":
      return typeof schema.minimum === "number" ? schema.minimum : 0;
    case "boolean":
      return false;
    case "array":
      return [];
    case "null":
      return null;
    default:
      return isSchema(schema.properties) ? required(schema, depth + 1) : {};
  }
}

function required(schema: Schema, depth: number): Schema {
  const properties = isSchema(schema.properties) ? schema.properties : {};
  const names = Array.isArray(schema.required) ? schema.required : [];
  const out: Schema = {};
  for (const name of names) {
    if (typeof name === "string") out[name] = example(properties[name], depth);
  }
  return out;
}

/** Arguments to begin with: what the input schema requires, with its defaults or an empty value of its type. */
export function prefill(inputSchema: string | null): string {
  try {
    const schema: unknown = JSON.parse(inputSchema ?? "{}");
    return JSON.stringify(isSchema(schema) ? required(schema, 0) : {}, null, 2);
  } catch {
    return "{}";
  }
}
