package io.vmm4j.examples.thermometer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bytes beside the assembly source are what it assembles to. */
class AlarmGuestTest {
  @Test
  void theBytesAreThoseOfTheSource(@TempDir Path directory)
      throws IOException, InterruptedException {
    // given GNU as, where it is present
    Path source = Path.of("src/main/resources/io/vmm4j/examples/thermometer/alarm.s");
    Path object = directory.resolve("alarm.o");
    Path binary = directory.resolve("alarm.bin");
    try {
      run("as", "--32", source.toString(), "-o", object.toString());
      run("objcopy", "-O", "binary", "-j", ".text", object.toString(), binary.toString());
    } catch (IOException e) {
      System.out.println("SKIPPED: the bytes of alarm.s are not checked: no GNU binutils");
      Assumptions.abort("no GNU binutils");
    }

    assertThat(AlarmGuest.bytes()).isEqualTo(Files.readAllBytes(binary));
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }
}
