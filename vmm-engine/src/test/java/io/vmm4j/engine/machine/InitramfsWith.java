package io.vmm4j.engine.machine;

import io.vmm4j.guests.CpioWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;

/** An initramfs with one program more, whose bytes lie beside the tests as hexadecimal digits. */
final class InitramfsWith {
  private InitramfsWith() {}

  /** Puts the program NAME.hex as /bin/NAME behind an initramfs: the kernel unpacks both. */
  static Path program(Path initramfs, String name, Path target) throws IOException {
    try (InputStream in = InitramfsWith.class.getResourceAsStream(name + ".hex")) {
      if (in == null) {
        throw new IOException("there is no " + name + ".hex");
      }
      String digits = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      byte[] program = HexFormat.of().parseHex(digits.replaceAll("\\s", ""));
      Files.copy(initramfs, target);
      try (CpioWriter archive =
          new CpioWriter(Files.newOutputStream(target, StandardOpenOption.APPEND))) {
        archive.file("bin/" + name, 0755, program);
      }
      return target;
    }
  }
}
