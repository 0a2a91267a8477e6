//! The schema for editors says what the decoder does.

use passline::language::schema::schema;
use serde_json::json;

use super::fields::STEP;

#[test]
fn the_schema_follows_the_tables() {
    let schema = schema("https://example.org/step.json", &STEP);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], "https://example.org/step.json");
    assert_eq!(schema["allOf"], json!([{ "$ref": "#/$defs/read-step" }]));
    let step = &schema["$defs"]["read-step"];
    assert_eq!(step["description"], "Reads a point.");
    assert_eq!(step["additionalProperties"], false);
    assert_eq!(step["required"], json!(["read", "unit_id"]));
    let instead = json!({ "type": "string", "pattern": r"^(\$\([A-Za-z0-9_.]+\)$|= )" });
    let properties = &step["properties"];
    assert_eq!(properties.as_object().unwrap().len(), 19);
    assert_eq!(
        properties["address"],
        json!({
            "description": "The address.",
            "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 65535 }, instead],
        })
    );
    assert_eq!(properties["max"]["anyOf"], json!([{ "type": "number" }, instead]));
    assert_eq!(properties["order"]["anyOf"][0], json!({ "enum": ["ABCD", "CDAB", "DCBA"] }));
    assert_eq!(
        properties["inner"],
        json!({ "$ref": "#/$defs/read-step", "description": "A step inside." })
    );
    assert_eq!(properties["tags"]["items"], json!({ "type": "string" }));
    assert_eq!(properties["any"]["not"], json!({ "type": "null" }));
    assert_eq!(
        schema["$defs"].as_object().unwrap().len(),
        1,
        "an object that holds itself is described once"
    );
}

#[test]
fn the_same_tables_give_the_same_bytes() {
    let bytes = || serde_json::to_string_pretty(&schema("x", &STEP)).unwrap();
    assert_eq!(bytes(), bytes());
    assert!(bytes().contains("18446744073709551615"), "bounds beyond 2^53 are exact");
}
