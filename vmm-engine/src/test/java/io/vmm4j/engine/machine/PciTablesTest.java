package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.devices.acpipm.AcpiPmConfig;
import io.vmm4j.devices.hpet.HpetConfig;
import io.vmm4j.devices.i8042.I8042Config;
import io.vmm4j.devices.ioapic.IoApicConfig;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pic.PicConfig;
import io.vmm4j.devices.rtc.RtcConfig;
import io.vmm4j.devices.uart.Uart;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ACPI tables of a machine with a PCI bus, as a guest finds them in its memory. */
class PciTablesTest {
  private static final long RSDP = 0xE_0000;

  @TempDir private Path directory;
  private Vm vm;

  @BeforeEach
  void start() throws IOException {
    Path image = Files.write(directory.resolve("guest"), new byte[] {(byte) 0xF4});
    vm =
        Vm.create(
            VmSpec.builder("pc")
                .memory(MemorySize.mebibytes(16))
                .board("none") // the id of a VM generation id is none by iasl's rules
                .device("pic", PicConfig.DEFAULT)
                .device("ioapic", IoApicConfig.DEFAULT)
                .device("rtc", RtcConfig.DEFAULT)
                .device("i8042", I8042Config.DEFAULT)
                .device("acpi-pm", AcpiPmConfig.DEFAULT)
                .boot(new BootSource.FlatRealMode(image, 0x1000))
                .device("com1", Uart.com1())
                .device("hpet", HpetConfig.DEFAULT)
                .device("pci", HostBridgeConfig.DEFAULT)
                .build());
  }

  @AfterEach
  void close() {
    vm.close();
  }

  private Map<String, byte[]> tables() {
    GuestMemory memory = vm.memory();
    Map<String, byte[]> found = new LinkedHashMap<>();
    long xsdt = memory.readLong(RSDP + 24);
    for (long at = xsdt + 36; at < xsdt + memory.readInt(xsdt + 4); at += 8) {
      add(found, memory.readLong(at));
    }
    long fadt = memory.readLong(xsdt + 36);
    add(found, memory.readInt(fadt + 40)); // the DSDT
    return found;
  }

  private void add(Map<String, byte[]> found, long at) {
    byte[] table = vm.memory().read(at, vm.memory().readInt(at + 4));
    found.put(new String(table, 0, 4, StandardCharsets.US_ASCII), table);
  }

  @Test
  void configurationSpaceIsWhereTheBridgeHasIt() {
    byte[] mcfg = tables().get("MCFG");
    assertThat(mcfg).hasSize(60);
    assertThat(mcfg[47] & 0xFF).as("0xE0000000").isEqualTo(0xE0);
    assertThat(mcfg[54]).as("first bus").isZero();
    assertThat(mcfg[55] & 0xFF).as("last bus").isEqualTo(0xFF);
  }

  @Test
  void theTablesDisassembleAndCompileWithoutAWarning() throws Exception {
    Path iasl = Path.of("/usr/bin/iasl");
    assumeTrue(
        Files.isExecutable(iasl), "SKIPPED: no iasl (on Debian: apt-get install acpica-tools)");
    for (Map.Entry<String, byte[]> table : tables().entrySet()) {
      String name = table.getKey().toLowerCase(Locale.ROOT);
      Files.write(directory.resolve(name + ".aml"), table.getValue());
      run(iasl, "-d", name + ".aml");
      String said = run(iasl, "-ve", "-p", name + "-again", name + ".dsl");
      assertThat(said).as(name).contains(" 0 Errors, 0 Warnings");
    }
    String dsdt = Files.readString(directory.resolve("dsdt.dsl"));
    assertThat(dsdt).contains("PNP0A08", "_PRT", "_OSC", "0xDFFFFFFF");
  }

  private String run(Path iasl, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(iasl.toString()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
