package io.vmm4j.examples.thermometer;

import io.vmm4j.api.boot.BootSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Objects;

/** The guest code that drives a thermometer: alarm.s, and its bytes in alarm.hex beside it. */
public final class AlarmGuest {
  /** Where a PC's firmware loads a boot sector; any multiple of 16 would do. */
  private static final int ADDRESS = 0x7C00;

  private AlarmGuest() {}

  /** The guest as a flat image that is entered in real mode, in a file of this name. */
  public static BootSource writeTo(Path file) throws IOException {
    return new BootSource.FlatRealMode(Files.write(file, bytes()), ADDRESS);
  }

  static byte[] bytes() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(AlarmGuest.class.getResourceAsStream("alarm.hex"))) {
      String hex = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
    }
  }
}
