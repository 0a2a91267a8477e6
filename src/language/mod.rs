//! What any language in YAML needs: files to trees that know where everything stands, trees to typed
//! values by static tables, every mistake collected with its place and a remedy.
//!
//! | module | what it is for | what it must not know |
//! | --- | --- | --- |
//! | [`source`] | reading files, once and within bounds | YAML |
//! | [`yaml`] | text to a compact tree with byte spans | what it means |
//! | [`diagnostic`] | what is wrong, where, and what to do | what is being read |
//! | [`variables`] | `$(name)` | what they are for |
//! | [`shape`] | the vocabulary of tables: objects, keys, shapes | any word of the language |
//! | [`decode`], [`fields`] | nodes to typed values by these tables | any word of the language |
//! | [`mod@format`] | files in their canonical form, comments kept | any word of the language |
//! | [`table`] | CSV text to cells with byte spans | what they mean |
//! | [`schema`] | the tables as JSON Schema, for editors | any word of the language |

pub mod decode;
pub mod diagnostic;
pub mod fields;
pub mod format;
pub mod schema;
pub mod shape;
pub mod source;
pub mod table;
pub mod variables;
pub mod yaml;
