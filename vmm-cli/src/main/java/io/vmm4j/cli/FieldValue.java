package io.vmm4j.cli;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.state.FieldMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Values of fields as text: read by the form that a schema gives them, and printed. */
final class FieldValue {
  private static final Set<String> NUMBERS = Set.of("int8", "int16", "int32", "int64");
  private static final int BYTES_SHOWN = 16;

  private FieldValue() {}

  /**
   * Reads a value.
   *
   * @param form as {@link io.vmm4j.api.state.RecordSchema#components} spells it
   * @throws IllegalArgumentException if the text is not of this form; says what would be
   */
  static Object parse(String form, String text) {
    if (NUMBERS.contains(form)) {
      return number(text);
    }
    if (form.endsWith("?")) {
      return List.of(parse(form.substring(0, form.length() - 1), text));
    }
    if (form.endsWith("[]")) {
      return list(form.substring(0, form.length() - 2), text);
    }
    if (form.startsWith("[")) {
      String inner = form.substring(1, form.length() - 1);
      return isForm(inner) ? list(inner, text) : constant(inner, text);
    }
    return switch (form) {
      case "boolean" -> bool(text);
      case "text" -> text;
      case "bytes" -> bytes(text);
      default -> throw new IllegalArgumentException("can't be given on the command line");
    };
  }

  private static boolean isForm(String inner) {
    return NUMBERS.contains(inner)
        || Set.of("boolean", "text", "bytes").contains(inner)
        || inner.startsWith("[")
        || inner.startsWith("{")
        || inner.endsWith("?")
        || inner.endsWith("[]");
  }

  private static Object list(String element, String text) {
    return Arrays.stream(text.split(":")).map(part -> parse(element, part)).toList();
  }

  private static Long number(String text) {
    try {
      return Long.decode(text);
    } catch (NumberFormatException e) {
      try {
        return MemorySize.parse(text).bytes();
      } catch (IllegalArgumentException alsoNot) {
        throw new IllegalArgumentException("'" + text + "' is not a number", e);
      }
    }
  }

  private static Boolean bool(String text) {
    return switch (text) {
      case "true", "on", "yes" -> true;
      case "false", "off", "no" -> false;
      default -> throw new IllegalArgumentException("'" + text + "' is neither on nor off");
    };
  }

  private static byte[] bytes(String text) {
    try {
      return HexFormat.of().parseHex(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("'" + text + "' is not bytes in hexadecimal", e);
    }
  }

  private static String constant(String constants, String text) {
    List<String> names = Arrays.asList(constants.split(", "));
    return names.stream()
        .filter(name -> spelled(name).equals(spelled(text)))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "'%s' is not one of %s"
                    .formatted(
                        text,
                        names.stream()
                            .map(FieldValue::spelled)
                            .collect(Collectors.joining(", ")))));
  }

  private static String spelled(String constant) {
    return constant.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** A form in words. */
  static String describe(String form) {
    if (NUMBERS.contains(form)) {
      return "number";
    }
    if (form.endsWith("?")) {
      return describe(form.substring(0, form.length() - 1)) + " (may be absent)";
    }
    if (form.endsWith("[]")) {
      return describe(form.substring(0, form.length() - 2)) + "s separated by ':'";
    }
    if (form.startsWith("[")) {
      String inner = form.substring(1, form.length() - 1);
      return isForm(inner)
          ? describe(inner) + "s separated by ':'"
          : "one of "
              + Arrays.stream(inner.split(", "))
                  .map(FieldValue::spelled)
                  .collect(Collectors.joining(", "));
    }
    return switch (form) {
      case "boolean" -> "on or off";
      case "bytes" -> "bytes in hexadecimal";
      default -> form;
    };
  }

  /** A value for people: bytes in hexadecimal, cut short when there are many. */
  static String text(Object value) {
    return switch (value) {
      case Long n when n > 9 || n < 0 -> "%d (0x%x)".formatted(n, n);
      case String s -> "\"" + s + "\"";
      case byte[] b when b.length == 0 -> "no bytes";
      case byte[] b when b.length <= BYTES_SHOWN -> HexFormat.of().formatHex(b);
      case byte[] b ->
          "%s… (%d bytes)".formatted(HexFormat.of().formatHex(b, 0, BYTES_SHOWN), b.length);
      case List<?> list -> list(list);
      case FieldMap map -> {
        List<String> parts = new ArrayList<>();
        map.asMap().forEach((name, field) -> parts.add(name + "=" + text(field)));
        yield "{" + String.join(", ", parts) + "}";
      }
      default -> value.toString();
    };
  }

  private static String list(List<?> list) {
    int shown = Math.min(list.size(), 2 * BYTES_SHOWN);
    return list.subList(0, shown).stream()
            .map(FieldValue::text)
            .collect(Collectors.joining(", ", "[", ""))
        + (shown < list.size() ? ", … (" + list.size() + ")]" : "]");
  }
}
