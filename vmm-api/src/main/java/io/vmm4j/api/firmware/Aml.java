package io.vmm4j.api.firmware;

import io.vmm4j.api.device.PlatformFact.FixedDevice;
import io.vmm4j.api.device.PlatformFact.MmioRange;
import io.vmm4j.api.device.PlatformFact.PortRange;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The little of ACPI Machine Language that devices take (ACPI 6.4, chapter 20): names, packages,
 * scopes, devices, methods, and resource templates (6.4). Each method gives the bytes of one term.
 */
public final class Aml {
  private static final int ZERO_OP = 0x00;
  private static final int ONE_OP = 0x01;
  private static final int NAME_OP = 0x08;
  private static final int BYTE_PREFIX = 0x0A;
  private static final int WORD_PREFIX = 0x0B;
  private static final int DWORD_PREFIX = 0x0C;
  private static final int STRING_PREFIX = 0x0D;
  private static final int SCOPE_OP = 0x10;
  private static final int BUFFER_OP = 0x11;
  private static final int PACKAGE_OP = 0x12;
  private static final int METHOD_OP = 0x14;
  private static final int EXTENDED_PREFIX = 0x5B;
  private static final int REGION_OP = 0x80;
  private static final int FIELD_OP = 0x81;
  private static final int DEVICE_OP = 0x82;
  private static final int STORE_OP = 0x70;
  private static final int NOTIFY_OP = 0x86;
  private static final int IF_OP = 0xA0;

  private static final int SYSTEM_IO = 1;
  private static final int BYTE_ACCESS = 1;
  private static final int SERIALIZED = 1 << 3;

  /** Flags of an extended interrupt: consumer, level-triggered, active high, exclusive. */
  private static final int LEVEL_INTERRUPT = 0b0000_0001;

  private static final int SHARED = 0b0000_1000;

  private Aml() {}

  /** {@code Name (name, value)}. */
  public static byte[] name(String name, byte[] value) {
    return concat(new byte[] {NAME_OP}, segment(name), value);
  }

  /** {@code Scope (name) { terms }}. */
  public static byte[] scope(String name, byte[]... terms) {
    return concat(new byte[] {SCOPE_OP}, packageLength(concat(segment(name), concat(terms))));
  }

  /** {@code Device (name) { terms }}. */
  public static byte[] device(String name, byte[]... terms) {
    return concat(
        new byte[] {EXTENDED_PREFIX, (byte) DEVICE_OP},
        packageLength(concat(segment(name), concat(terms))));
  }

  /** {@code Package () { elements }}. */
  public static byte[] packageOf(byte[]... elements) {
    return concat(
        new byte[] {PACKAGE_OP},
        packageLength(concat(new byte[] {(byte) elements.length}, concat(elements))));
  }

  /** {@code Method (name, arguments, Serialized) { terms }}. */
  public static byte[] method(String name, int arguments, byte[]... terms) {
    byte[] flags = {(byte) (arguments | SERIALIZED)};
    return concat(
        new byte[] {METHOD_OP}, packageLength(concat(segment(name), flags, concat(terms))));
  }

  /**
   * {@code OperationRegion (region, SystemIO, port, 1)} and {@code Field (region, ByteAcc, NoLock,
   * Preserve) { field, 8 }}.
   */
  public static byte[] portField(String region, int port, String field) {
    byte[] width = {8};
    byte[] flags = {BYTE_ACCESS};
    return concat(
        new byte[] {EXTENDED_PREFIX, (byte) REGION_OP},
        segment(region),
        new byte[] {SYSTEM_IO},
        integer(port),
        integer(1),
        new byte[] {EXTENDED_PREFIX, (byte) FIELD_OP},
        packageLength(concat(segment(region), flags, segment(field), width)));
  }

  /** {@code If (name) { terms }}. */
  public static byte[] ifTrue(String name, byte[]... terms) {
    return concat(new byte[] {(byte) IF_OP}, packageLength(concat(segment(name), concat(terms))));
  }

  /** {@code Store (value, name)}. */
  public static byte[] store(byte[] value, String name) {
    return concat(new byte[] {STORE_OP}, value, segment(name));
  }

  /** {@code Notify (name, value)}. */
  public static byte[] notify(String name, int value) {
    return concat(new byte[] {(byte) NOTIFY_OP}, segment(name), integer(value));
  }

  /** A string, of ASCII characters. */
  public static byte[] string(String text) {
    return concat(
        new byte[] {STRING_PREFIX}, text.getBytes(StandardCharsets.US_ASCII), new byte[] {0});
  }

  /** An integer in the shortest encoding; unsigned. */
  public static byte[] integer(int value) {
    if (value == 0) {
      return new byte[] {ZERO_OP};
    }
    if (value == 1) {
      return new byte[] {ONE_OP};
    }
    if (value >>> 8 == 0) {
      return new byte[] {BYTE_PREFIX, (byte) value};
    }
    if (value >>> 16 == 0) {
      return new byte[] {WORD_PREFIX, (byte) value, (byte) (value >> 8)};
    }
    return concat(new byte[] {DWORD_PREFIX}, littleEndian(value, 4));
  }

  /**
   * {@code EisaId ("PNP0501")} where the text has that form (three upper-case letters and four
   * hexadecimal digits), else a string.
   */
  public static byte[] hardwareId(String id) {
    if (!id.matches("[A-Z]{3}[0-9A-F]{4}")) {
      return string(id);
    }
    int vendor = (id.charAt(0) - '@') << 10 | (id.charAt(1) - '@') << 5 | (id.charAt(2) - '@');
    int packed = vendor << 16 | Integer.parseInt(id.substring(3), 16);
    return concat(new byte[] {DWORD_PREFIX}, littleEndian(Integer.reverseBytes(packed), 4));
  }

  /** {@code Return (ArgN)}. */
  public static byte[] returnArgument(int number) {
    return new byte[] {(byte) 0xA4, (byte) (0x68 + number)};
  }

  /** What a bus gives to the devices on it (ACPI 6.4, 6.4.3.5). */
  public enum Space {
    /** Memory. */
    MEMORY(0, 1),
    /** Memory whose loads have no effect. */
    PREFETCHABLE(0, 7),
    /** Ports. */
    PORTS(1, 3),
    /** Bus numbers. */
    BUSES(2, 0);

    private final int type;
    private final int flags;

    Space(int type, int flags) {
      this.type = type;
      this.flags = flags;
    }
  }

  /**
   * A descriptor of a range that a bus produces, for {@link #resourceTemplate}.
   *
   * @param bytes how wide its numbers are: 2, 4 or 8
   * @param first the first address
   * @param last the last address
   */
  public static byte[] produced(Space space, int bytes, long first, long last) {
    int tag = bytes == 2 ? 0x88 : bytes == 4 ? 0x87 : 0x8A;
    byte[] header = {(byte) tag};
    byte[] kind = {(byte) space.type, 0x0C, (byte) space.flags}; // both ends fixed, produced
    return concat(
        header,
        littleEndian(3 + 5L * bytes, 2),
        kind,
        littleEndian(0, bytes),
        littleEndian(first, bytes),
        littleEndian(last, bytes),
        littleEndian(0, bytes),
        littleEndian(last - first + 1, bytes));
  }

  /** A descriptor of ports that a device takes, for {@link #resourceTemplate}. */
  public static byte[] ports(int first, int count) {
    return concat(
        new byte[] {0x47, 1},
        littleEndian(first, 2),
        littleEndian(first, 2),
        new byte[] {1, (byte) count});
  }

  /** A descriptor of memory below 4 GiB that a device takes, for {@link #resourceTemplate}. */
  public static byte[] memory(long base, long length) {
    return concat(
        new byte[] {(byte) 0x86, 9, 0, 1}, littleEndian(base, 4), littleEndian(length, 4));
  }

  /** {@code ResourceTemplate () { … }} with a device's ports, windows and interrupts. */
  public static byte[] resources(FixedDevice device) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (PortRange range : device.ports()) {
      out.write(0x47); // I/O port descriptor
      out.write(1); // decodes 16 bits
      out.writeBytes(littleEndian(range.first(), 2));
      out.writeBytes(littleEndian(range.first(), 2));
      out.write(1); // alignment
      out.write(range.count());
    }
    for (MmioRange range : device.windows()) {
      out.write(0x86); // 32-bit fixed memory range descriptor
      out.writeBytes(littleEndian(9, 2));
      out.write(1); // writable
      out.writeBytes(littleEndian(range.base(), 4));
      out.writeBytes(littleEndian(range.length(), 4));
    }
    for (int interrupt : device.interrupts()) {
      if (interrupt < 16) {
        out.write(0x22); // IRQ descriptor without flags: edge-triggered, active high
        out.writeBytes(littleEndian(1 << interrupt, 2));
      } else {
        out.writeBytes(extendedInterrupt(interrupt, LEVEL_INTERRUPT));
      }
    }
    return resourceTemplate(out.toByteArray());
  }

  /** {@code ResourceTemplate () { Interrupt (…, Level, ActiveHigh, Shared) { interrupt } }}. */
  public static byte[] sharedInterrupt(int interrupt) {
    return resourceTemplate(extendedInterrupt(interrupt, LEVEL_INTERRUPT | SHARED));
  }

  private static byte[] extendedInterrupt(int interrupt, int flags) {
    return concat(
        new byte[] {(byte) 0x89}, // extended interrupt descriptor
        littleEndian(6, 2),
        new byte[] {(byte) flags, 1},
        littleEndian(interrupt, 4));
  }

  /** {@code ResourceTemplate () { descriptors }}. */
  public static byte[] resourceTemplate(byte[] descriptors) {
    byte[] endTag = {0x79, 0}; // a checksum of 0: not checked
    byte[] template = concat(descriptors, endTag);
    return concat(
        new byte[] {BUFFER_OP}, packageLength(concat(integer(template.length), template)));
  }

  /** A value's low bytes, lowest first. */
  public static byte[] littleEndian(long value, int bytes) {
    byte[] result = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      result[i] = (byte) (value >> 8 * i);
    }
    return result;
  }

  /** All the bytes in a row. */
  public static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] segment(String name) {
    boolean root = name.startsWith("\\");
    String segment = root ? name.substring(1) : name;
    if (!segment.matches("[A-Z_][A-Z0-9_]{0,3}")) {
      throw new IllegalArgumentException(
          "an ACPI name has up to 4 upper-case letters or digits and begins with a letter, not "
              + name);
    }
    String padded = (root ? "\\" : "") + (segment + "___").substring(0, 4);
    return padded.getBytes(StandardCharsets.US_ASCII);
  }

  /** The content with its PkgLength before it (20.2.4), which counts its own bytes too. */
  private static byte[] packageLength(byte[] content) {
    int more = 0;
    int total = content.length + 1;
    while (total >= (more == 0 ? 1 << 6 : 1 << 4 + 8 * more)) {
      more++;
      total = content.length + 1 + more;
    }
    byte[] length = new byte[1 + more];
    if (more == 0) {
      length[0] = (byte) total;
    } else {
      length[0] = (byte) (more << 6 | total & 0xF);
      for (int i = 1; i <= more; i++) {
        length[i] = (byte) (total >> 4 + 8 * (i - 1));
      }
    }
    return concat(length, content);
  }
}
