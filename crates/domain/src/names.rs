//! Enums of names.

/// Defines an enum whose variants have names, such as the kinds of an event: each variant once, with its name.
///
/// The names are the same everywhere: on the wire, in the database, in logs. The enum gets
/// - `ALL`, its variants, and `NAMES`, their names, both in the order of the definition, by which it is also ordered;
/// - `as_str()`, `from_name()` (names are compared byte by byte), `Display`, and serde's traits, which write the name.
///
/// ```
/// use module_monitor_domain::names;
///
/// names! {
///     /// What a traffic light shows.
///     #[derive(Default)]
///     pub enum Light {
///         /// Wait.
///         #[default]
///         Red = "red",
///         /// Go.
///         Green = "green",
///     }
/// }
///
/// assert_eq!(Light::from_name("green"), Some(Light::Green));
/// assert_eq!(Light::from_name("Green"), None);
/// assert_eq!(Light::default().to_string(), "red");
/// assert_eq!(Light::NAMES, ["red", "green"]);
/// ```
#[macro_export]
macro_rules! names {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $type:ident {
            $($(#[$about:meta])* $variant:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $type {
            $($(#[$about])* $variant),+
        }

        impl $type {
            /// Every variant, in the order of the definition.
            $visibility const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name of every variant, in the same order.
            $visibility const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];

            /// The name, as it is on the wire and in the database.
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// The variant of that name; `None` where there is none.
            $visibility fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.as_str() == name)
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <::std::borrow::Cow<'de, str> as $crate::serde::Deserialize>::deserialize(deserializer)?;
                Self::from_name(&name)
                    .ok_or_else(|| $crate::serde::de::Error::unknown_variant(&name, &Self::NAMES))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, StrDeserializer};
    use serde::de::{Deserialize, IntoDeserializer};

    names! {
        /// Two names, one of which is no identifier.
        #[derive(Default)]
        enum Feed {
            /// The first.
            #[default]
            Current = "current",
            Old = "7.x",
        }
    }

    #[test]
    fn every_variant_has_its_name_and_nothing_else_is_one() {
        assert_eq!(Feed::ALL.map(Feed::as_str), Feed::NAMES);
        for variant in Feed::ALL {
            assert_eq!(Feed::from_name(variant.as_str()), Some(variant));
        }
        for other in ["", "Current", "current ", "7"] {
            assert_eq!(Feed::from_name(other), None, "{other:?}");
        }
    }

    #[test]
    fn variants_are_ordered_as_defined_and_the_first_may_be_the_default() {
        assert!(Feed::Current < Feed::Old);
        assert_eq!(Feed::default(), Feed::Current);
    }

    #[test]
    fn text_is_aligned_as_text_is() {
        assert_eq!(format!("{:>8}|{}", Feed::Old, Feed::Current), "     7.x|current");
    }

    #[test]
    fn an_unknown_name_is_told_with_those_there_are() {
        let read = |text| -> Result<Feed, Error> {
            let deserializer: StrDeserializer<'_, Error> = IntoDeserializer::into_deserializer(text);
            Feed::deserialize(deserializer)
        };
        assert_eq!(read("7.x"), Ok(Feed::Old));
        let error = read("8.x").expect_err("no such feed").to_string();
        assert_eq!(error, "unknown variant `8.x`, expected `current` or `7.x`");
    }
}
