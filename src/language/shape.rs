//! The vocabulary in which the language is described: static tables that the decoder reads, and
//! the schema for editors with it. Knows no word of the language itself.

/// A mapping with known keys.
#[derive(Debug)]
pub struct Object {
    /// What it is, as it reads after "this": "device", "read step". One name per object.
    pub name: &'static str,
    /// One or two sentences for people who write specs.
    pub doc: &'static str,
    /// Its keys, in groups so that objects can share some.
    pub fields: &'static [&'static [Field]],
}

/// One key of an object.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// Whether it may be left out.
    pub required: bool,
    /// One or two sentences for people who write specs.
    pub doc: &'static str,
}

/// What may stand in a place. A variable `$(name)` may stand for every scalar, and where the decoder
/// is given a way to evaluate them, `= ` and an expression.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer within bounds, both inclusive.
    Integer {
        /// The least.
        min: i128,
        /// The greatest.
        max: i128,
    },
    /// Any exact number.
    Number,
    /// Text. A plain number is refused, because `1.10` would lose its zero elsewhere.
    Text,
    /// Letters, digits and `_`.
    Name,
    /// `500ms`, `1.5s`, `2m`, `1h`.
    Duration,
    /// A number and `%`.
    Percent,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A number, a text, `true` or `false`.
    Scalar,
    /// An expression; a leading `= ` may be left out here.
    Expression,
    /// A list of the shape.
    List(&'static Shape),
    /// The shape, or a list of it.
    OneOrMany(&'static Shape),
    /// A mapping with keys of the user's own.
    Map(&'static Shape),
    /// A mapping with known keys.
    Object(&'static Object),
    /// One of these shapes.
    AnyOf(&'static [Shape]),
    /// Anything but nothing.
    Any,
}

impl Object {
    /// All its keys.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().copied().flatten()
    }

    /// The field of a key.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.key == key)
    }
}

impl Field {
    /// A key that must be there.
    pub const fn required(key: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { key, shape, required: true, doc }
    }

    /// A key that may be left out.
    pub const fn optional(key: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { key, shape, required: false, doc }
    }
}

impl Shape {
    /// An integer of 16 bits: addresses, registers.
    pub const U16: Self = Self::Integer { min: 0, max: u16::MAX as i128 };

    /// What it is, with its article: "a number".
    pub fn wanted(&self) -> String {
        match self {
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Integer { min, max } => format!("an integer within {min}..={max}"),
            Self::Number => "a number".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Name => "a name of letters, digits and `_`".to_owned(),
            Self::Duration => "a duration such as `500ms` or `1.5s`".to_owned(),
            Self::Percent => "a percentage such as `5%`".to_owned(),
            Self::Choice(words) => one_of(words),
            Self::Scalar => "a number, a text, `true` or `false`".to_owned(),
            Self::Expression => "an expression".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::OneOrMany(shape) => format!("{} or a list", shape.wanted()),
            Self::Map(_) => "a mapping".to_owned(),
            Self::Object(object) => format!("a mapping (the {})", object.name),
            Self::AnyOf(shapes) => {
                let mut wanted: Vec<String> = shapes.iter().map(Self::wanted).collect();
                wanted.dedup();
                wanted.join(" or ")
            }
            Self::Any => "a value".to_owned(),
        }
    }
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// Whether a text is a name: of points, devices, slots, variables.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
