package io.vmm4j.control.protocol;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The fields of one request, taken one by one. What is left at the end does not belong there.
 *
 * <p>Values are {@link String}, {@link BigInteger}, {@link Boolean}, or {@link Other} for whatever
 * no request has.
 */
final class Fields {
  private static final int QUOTED_CHARS = 40;

  /**
   * A value that no field takes.
   *
   * @param what how to call it
   */
  record Other(String what) {}

  /** A field that is missing, superfluous or wrong. */
  static final class Fault extends Exception {
    private static final long serialVersionUID = 1L;

    private final ErrorType type;

    Fault(ErrorType type, String message) {
      super(message, null, false, false);
      this.type = type;
    }

    ErrorType type() {
      return type;
    }
  }

  private final Map<String, Object> left;

  Fields(Map<String, Object> all) {
    this.left = new LinkedHashMap<>(all);
  }

  Optional<Object> take(String name) {
    return Optional.ofNullable(left.remove(name));
  }

  boolean has(String name) {
    return left.containsKey(name);
  }

  Optional<String> optionalText(String name) throws Fault {
    Object value = left.remove(name);
    return switch (value) {
      case null -> Optional.empty();
      case String text -> Optional.of(text);
      default -> throw bad(name, "a text is wanted");
    };
  }

  String text(String name) throws Fault {
    return optionalText(name).orElseThrow(() -> missing(name));
  }

  boolean flag(String name) throws Fault {
    Object value = left.remove(name);
    return switch (value) {
      case null -> false;
      case Boolean flag -> flag;
      default -> throw bad(name, "true or false is wanted");
    };
  }

  /** A number, or a text of one in hexadecimal with {@code 0x}; unsigned, below 2^64. */
  long unsigned(String name) throws Fault {
    Object value = left.remove(name);
    BigInteger number =
        switch (value) {
          case null -> throw missing(name);
          case BigInteger integer -> integer;
          case String text when text.matches("0x[0-9a-fA-F]{1,16}") ->
              new BigInteger(text.substring(2), 16);
          default -> throw bad(name, "a number, or a text such as \"0x1000\", is wanted");
        };
    if (number.signum() < 0 || number.bitLength() > Long.SIZE) {
      throw bad(name, "a number from 0 to 2^64 - 1 is wanted");
    }
    return number.longValue();
  }

  void end(String command) throws Fault {
    if (!left.isEmpty()) {
      throw new Fault(
          ErrorType.UNKNOWN_FIELD,
          "command '%s' has no field %s"
              .formatted(command, quoted(left.keySet().iterator().next())));
    }
  }

  static Fault bad(String name, String what) {
    return new Fault(ErrorType.BAD_FIELD, "field '" + name + "': " + what);
  }

  private static Fault missing(String name) {
    return new Fault(ErrorType.MISSING_FIELD, "field '" + name + "' is missing");
  }

  /** A client's own text as it may stand in a message: short, and with nothing a terminal obeys. */
  static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("'");
    text.codePoints()
        .limit(QUOTED_CHARS)
        .forEach(c -> {
          if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT) {
            quoted.append('?');
          } else {
            quoted.appendCodePoint(c);
          }
        });
    return quoted
        .append(text.codePointCount(0, text.length()) > QUOTED_CHARS ? "…'" : "'")
        .toString();
  }
}
