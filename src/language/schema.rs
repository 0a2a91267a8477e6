//! The tables as a JSON Schema (draft 2020-12), so that editors complete and check what the
//! decoder reads. Knows no word of the language itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::shape::{Field, Object, Shape};

/// What may stand for any scalar that is not text: a variable alone, or an expression.
const INSTEAD: &str = r"^(\$\([A-Za-z0-9_.]+\)$|= )";
const NAME: &str = r"^([A-Za-z0-9_]|\$\([A-Za-z0-9_.]+\))+$";
const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h)|.*\$\([A-Za-z0-9_.]+\).*)$";
const PERCENT: &str = r"^([-+0-9.eE]+ *%|.*\$\([A-Za-z0-9_.]+\).*)$";

/// The schema of a file whose outermost mapping is `root`. The same tables give the same bytes.
pub fn schema(id: &str, root: &'static Object) -> Value {
    let mut definitions = Definitions::default();
    let reference = definitions.reference(root);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "title": root.name,
        "allOf": [reference],
        "$defs": definitions.describe_all(),
    })
}

/// The objects that were referred to: each is described once, however often it is named, and may
/// hold itself.
#[derive(Default)]
struct Definitions {
    named: BTreeMap<&'static str, &'static Object>,
    waiting: Vec<&'static Object>,
}

impl Definitions {
    fn describe_all(mut self) -> Value {
        let mut described = Map::new();
        while let Some(object) = self.waiting.pop() {
            let description = self.object(object);
            described.insert(key(object), description);
        }
        Value::Object(described)
    }

    fn reference(&mut self, object: &'static Object) -> Value {
        match self.named.insert(object.name, object) {
            None => self.waiting.push(object),
            Some(same) => debug_assert!(std::ptr::eq(same, object), "two objects: {}", object.name),
        }
        json!({ "$ref": format!("#/$defs/{}", key(object)) })
    }

    fn object(&mut self, object: &'static Object) -> Value {
        let properties: Map<String, Value> =
            object.fields().map(|field| (field.key.to_owned(), self.field(field))).collect();
        let required: Vec<&str> =
            object.fields().filter(|field| field.required).map(|field| field.key).collect();
        let mut schema = json!({
            "type": "object",
            "description": object.doc,
            "properties": properties,
            "additionalProperties": false,
        });
        if let Some(schema) = schema.as_object_mut().filter(|_| !required.is_empty()) {
            schema.insert("required".to_owned(), json!(required));
        }
        schema
    }

    fn field(&mut self, field: &'static Field) -> Value {
        let mut schema = self.shape(&field.shape);
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), json!(field.doc));
        }
        schema
    }

    fn shape(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Bool => or_instead(json!({ "type": "boolean" })),
            Shape::Integer { min, max } => {
                or_instead(json!({ "type": "integer", "minimum": min, "maximum": max }))
            }
            Shape::Number => or_instead(json!({ "type": "number" })),
            Shape::Choice(words) => or_instead(json!({ "enum": words })),
            Shape::Text => json!({ "type": "string" }),
            Shape::Name => json!({ "type": ["string", "number", "boolean"], "pattern": NAME }),
            Shape::Duration => json!({ "type": "string", "pattern": DURATION }),
            Shape::Percent => json!({ "type": "string", "pattern": PERCENT }),
            Shape::Scalar | Shape::Expression => json!({ "type": ["string", "number", "boolean"] }),
            Shape::List(item) => json!({ "type": "array", "items": self.shape(item) }),
            Shape::OneOrMany(item) => {
                any_of([self.shape(item), json!({ "type": "array", "items": self.shape(item) })])
            }
            Shape::Map(value) => {
                json!({ "type": "object", "additionalProperties": self.shape(value) })
            }
            Shape::Object(object) => self.reference(object),
            Shape::AnyOf(shapes) => any_of(shapes.iter().map(|shape| self.shape(shape))),
            Shape::Any => json!({ "not": { "type": "null" } }),
        }
    }
}

fn or_instead(schema: Value) -> Value {
    any_of([schema, json!({ "type": "string", "pattern": INSTEAD })])
}

/// The alternatives in one list, without those that are there twice.
fn any_of(schemas: impl IntoIterator<Item = Value>) -> Value {
    let mut alternatives: Vec<Value> = Vec::new();
    for schema in schemas {
        let nested = match &schema {
            Value::Object(map) if map.len() == 1 => map.get("anyOf").and_then(Value::as_array),
            _ => None,
        };
        for alternative in nested.unwrap_or(&vec![schema.clone()]) {
            if !alternatives.contains(alternative) {
                alternatives.push(alternative.clone());
            }
        }
    }
    json!({ "anyOf": alternatives })
}

fn key(object: &Object) -> String {
    object.name.replace(' ', "-")
}
