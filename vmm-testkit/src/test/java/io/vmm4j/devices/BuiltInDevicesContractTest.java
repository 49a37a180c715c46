package io.vmm4j.devices;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Balloon;
import io.vmm4j.api.Disk;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.channel.ConsolePorts;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.input.Keyboard;
import io.vmm4j.api.state.RecordedShapes;
import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.api.vsock.VsockListener;
import io.vmm4j.devices.acpipm.AcpiPmConfig;
import io.vmm4j.devices.acpipm.AcpiPmFactory;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.devices.bootrom.BootRomFactory;
import io.vmm4j.devices.debugcon.DebugConsoleConfig;
import io.vmm4j.devices.debugcon.DebugConsoleFactory;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.debugexit.DebugExitFactory;
import io.vmm4j.devices.fwcfg.FwCfgConfig;
import io.vmm4j.devices.fwcfg.FwCfgFactory;
import io.vmm4j.devices.hpet.HpetConfig;
import io.vmm4j.devices.hpet.HpetFactory;
import io.vmm4j.devices.i8042.I8042Config;
import io.vmm4j.devices.i8042.I8042Factory;
import io.vmm4j.devices.ioapic.IoApicConfig;
import io.vmm4j.devices.ioapic.IoApicFactory;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pci.HostBridgeFactory;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.pci.RootPortConfig;
import io.vmm4j.devices.pci.RootPortFactory;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.pcitest.PciTestFactory;
import io.vmm4j.devices.pctestdev.PcTestDeviceConfig;
import io.vmm4j.devices.pctestdev.PcTestDeviceFactory;
import io.vmm4j.devices.pic.PicConfig;
import io.vmm4j.devices.pic.PicFactory;
import io.vmm4j.devices.pit.PitConfig;
import io.vmm4j.devices.pit.PitFactory;
import io.vmm4j.devices.pvpanic.PciPvpanicConfig;
import io.vmm4j.devices.pvpanic.PciPvpanicFactory;
import io.vmm4j.devices.pvpanic.PvpanicConfig;
import io.vmm4j.devices.pvpanic.PvpanicFactory;
import io.vmm4j.devices.rtc.RtcConfig;
import io.vmm4j.devices.rtc.RtcFactory;
import io.vmm4j.devices.systemcontrol.SystemControlConfig;
import io.vmm4j.devices.systemcontrol.SystemControlFactory;
import io.vmm4j.devices.testwindow.TestWindowConfig;
import io.vmm4j.devices.testwindow.TestWindowFactory;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.uart.UartFactory;
import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtioballoon.VirtioBalloonConfig;
import io.vmm4j.devices.virtioballoon.VirtioBalloonFactory;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockFactory;
import io.vmm4j.devices.virtioconsole.ConsoleDriver;
import io.vmm4j.devices.virtioconsole.VirtioConsoleConfig;
import io.vmm4j.devices.virtioconsole.VirtioConsoleFactory;
import io.vmm4j.devices.virtioinput.VirtioInputConfig;
import io.vmm4j.devices.virtioinput.VirtioInputFactory;
import io.vmm4j.devices.virtionet.VirtioNetConfig;
import io.vmm4j.devices.virtionet.VirtioNetFactory;
import io.vmm4j.devices.virtiorng.VirtioRngConfig;
import io.vmm4j.devices.virtiorng.VirtioRngFactory;
import io.vmm4j.devices.virtiovsock.VirtioVsockConfig;
import io.vmm4j.devices.virtiovsock.VirtioVsockFactory;
import io.vmm4j.devices.virtiovsock.VsockDriver;
import io.vmm4j.devices.vmgenid.VmGenerationIdConfig;
import io.vmm4j.devices.vmgenid.VmGenerationIdFactory;
import io.vmm4j.devices.vmgenid.VmGenerationIdState;
import io.vmm4j.devices.watchdog.WatchdogConfig;
import io.vmm4j.devices.watchdog.WatchdogDriver;
import io.vmm4j.devices.watchdog.WatchdogFactory;
import io.vmm4j.testkit.DeviceModelContract;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class BuiltInDevicesContractTest {
  private static final RecordedShapes RECORDED =
      RecordedShapes.read(BuiltInDevicesContractTest.class, "state-shapes.txt");

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicContainer> every_built_in_device_keeps_the_contract() throws IOException {
    Path image = Files.write(directory.resolve("rom"), new byte[5000]);
    return Stream.of(
            DeviceModelContract.of(new PicFactory(), PicConfig.DEFAULT),
            ioApic(),
            DeviceModelContract.of(new PitFactory(), PitConfig.DEFAULT),
            DeviceModelContract.of(new UartFactory(), Uart.com1()),
            rtc(),
            hpet(),
            i8042(),
            acpiPm(),
            DeviceModelContract.of(new DebugExitFactory(), DebugExitConfig.DEFAULT),
            DeviceModelContract.of(new DebugConsoleFactory(), DebugConsoleConfig.DEFAULT),
            DeviceModelContract.of(new FwCfgFactory(), FwCfgConfig.DEFAULT),
            DeviceModelContract.of(new PcTestDeviceFactory(), new PcTestDeviceConfig()),
            bootRom(new BootRomConfig(image.toString())),
            bootRom(new BootRomConfig(image.toString(), true)),
            DeviceModelContract.of(new SystemControlFactory(), SystemControlConfig.DEFAULT),
            DeviceModelContract.of(new TestWindowFactory(), TestWindowConfig.DEFAULT),
            vmGenerationId(),
            hostBridge(),
            pciFunction(),
            rootPort(),
            disk(Files.write(directory.resolve("disk"), new byte[64 << 10])),
            entropy(),
            networkCard(),
            sockets(),
            console(),
            balloon(),
            keyboard(),
            DeviceModelContract.of(new PvpanicFactory(), PvpanicConfig.DEFAULT),
            panicFunction(),
            watchdog())
        .map(contract ->
            DynamicContainer.dynamicContainer(
                contract.toString(),
                contract.recordedShapes(RECORDED).checks().entrySet().stream()
                    .map(check -> DynamicTest.dynamicTest(check.getKey(), check.getValue()::run))));
  }

  private static DeviceModelContract<?, ?> ioApic() {
    return DeviceModelContract.of(new IoApicFactory(), IoApicConfig.DEFAULT)
        .doing(
            "a level-triggered interrupt in service",
            machine -> {
              long base = IoApicConfig.DEFAULT.address();
              machine.writeMmio(base, 4, 0);
              machine.writeMmio(base + 0x10, 4, 0x0500_0000);
              machine.writeMmio(base, 4, 0x10 + 2 * 5);
              machine.writeMmio(base + 0x10, 4, 0x8031);
              machine.setLine(5, true);
            })
        .mustReach(state -> state.id() == 5 && (state.redirections().get(5) & 0x4000) != 0);
  }

  private static void cmos(TestMachine machine, int index, int value) {
    machine.out8(0x70, index);
    machine.out8(0x71, value);
  }

  private static DeviceModelContract<?, ?> rtc() {
    return DeviceModelContract.of(new RtcFactory(), RtcConfig.DEFAULT)
        .doing(
            "a divider that is let go",
            machine -> {
              cmos(machine, 0x0A, 0x66);
              machine.advance(Duration.ofMillis(300));
              cmos(machine, 0x0A, 0x2B);
            })
        .mustReach(state -> state.offsetNanos() != 0 && state.registerA() == 0x2B)
        .doing(
            "a periodic interrupt",
            machine -> {
              cmos(machine, 0x0B, 0x42);
              machine.advance(Duration.ofMillis(50));
            })
        .mustReach(state -> (state.flags() & 0x40) != 0)
        .doing("an alarm that is awaited", machine -> cmos(machine, 0x0B, 0x22))
        .mustReach(state -> state.registerB() == 0x22);
  }

  private static DeviceModelContract<?, ?> hpet() {
    long base = HpetConfig.DEFAULT.address();
    return DeviceModelContract.of(new HpetFactory(), HpetConfig.DEFAULT)
        .doing("a counter that is set", machine -> machine.writeMmio(base + 0xF0, 8, 12345))
        .mustReach(state -> state.counter() == 12345)
        .doing(
            "a counter that goes on from there",
            machine -> {
              machine.writeMmio(base + 0xF0, 8, 12345);
              machine.writeMmio(base + 0x10, 8, 1);
            })
        .mustReach(state -> state.counterOffset() != 0)
        .doing(
            "a periodic level-triggered interrupt",
            machine -> {
              machine.writeMmio(base + 0x100, 8, 16 << 9 | 0x4E);
              machine.writeMmio(base + 0x108, 8, 500_000);
              machine.writeMmio(base + 0x10, 8, 1);
              machine.advance(Duration.ofMillis(12));
            })
        .mustReach(state -> state.enabled() && state.interruptStatus() == 1);
  }

  private static void key(TestMachine machine, int value) {
    machine.out8(0x60, value);
    machine.in8(0x60);
  }

  private static DeviceModelContract<?, ?> i8042() {
    return DeviceModelContract.of(new I8042Factory(), I8042Config.DEFAULT)
        .doing(
            "a keyboard that is set up",
            machine -> {
              machine.out8(0x64, 0xAE);
              for (int value : new int[] {0xED, 7, 0xF3, 0x20, 0xF0, 1}) {
                key(machine, value);
              }
            })
        .mustReach(state -> state.keyboard().leds() == 7 && state.keyboard().scanSet() == 1)
        .doing(
            "an auxiliary device that does not answer",
            machine -> {
              machine.out8(0x64, 0xD1);
              machine.out8(0x60, 0x01);
              machine.out8(0x64, 0xD4);
              machine.out8(0x60, 0xFF);
            })
        .mustReach(state -> state.timedOut() && state.outputPort() == 1);
  }

  private static DeviceModelContract<?, ?> acpiPm() {
    return DeviceModelContract.of(new AcpiPmFactory(), AcpiPmConfig.DEFAULT)
        .doing(
            "an overflow of the timer, and the power button",
            machine -> {
              machine.out(0x602, 2, 0x0101);
              machine.advance(Duration.ofSeconds(3));
              machine.pressPowerButton();
            })
        .mustReach(state -> state.status() == 0x0101 && state.timerPeriods() != 0);
  }

  private static DeviceModelContract<?, ?> bootRom(BootRomConfig config) {
    return DeviceModelContract.of(new BootRomFactory(), config)
        .unchanged("bytes", "it is the size of the image");
  }

  private static DeviceModelContract<?, ?> hostBridge() {
    return DeviceModelContract.of(new HostBridgeFactory(), HostBridgeConfig.DEFAULT)
        .doing(
            "a configuration window that moves, and interrupts that are routed",
            machine -> {
              machine.out(0xCF8, 4, 0x8000_F860);
              machine.out(0xCFC, 4, 0x0B0A_0905);
              machine.out(0xCF8, 4, 0x8000_0060);
              machine.out(0xCFC, 4, 0xD000_0001);
            })
        .mustReach(state -> state.address() == 0x8000_0060)
        .unchanged("bridge.interrupt", "it has no pin")
        .unchanged("bridge.vectors", "it has no MSI-X")
        .unchanged("isa.interrupt", "it has no pin")
        .unchanged("isa.vectors", "it has no MSI-X");
  }

  private static DeviceModelContract<?, ?> rootPort() {
    return DeviceModelContract.of(new RootPortFactory(), RootPortConfig.DEFAULT)
        .in(PciMachine.bus(), "pci/00:02.0")
        .doing(
            "a bus that is numbered",
            machine -> machine.writeMmio(PciMachine.ECAM + (2 << 15) + 0x18, 4, 0x0001_0100))
        .mustReach(state -> state.pci().config()[0x19] == 1)
        .unchanged("pci.interrupt", "what comes into the slot changes it: RootPortTest")
        .unchanged("pci.vectors", "it has no MSI-X");
  }

  private static DeviceModelContract<?, ?> pciFunction() {
    return DeviceModelContract.of(new PciTestFactory(), PciTestConfig.DEFAULT)
        .in(PciMachine.bus(), PciMachine.PATH)
        .doing("being decoded", PciMachine::setUp)
        .mustReach(state -> state.pci().config()[4] == 7)
        .doing(
            "a register that remembers",
            machine -> {
              PciMachine.setUp(machine);
              machine.out(0xC000, 4, 0x1234_5678);
            })
        .mustReach(state -> state.scratch() == 0x1234_5678)
        .doing(
            "a pin that is asserted",
            machine -> {
              PciMachine.setUp(machine);
              machine.writeMmio(0xC000_0004L, 4, 0);
            })
        .mustReach(state -> state.pci().interrupt())
        .doing("a message that waits", PciMachine::raiseMasked)
        .mustReach(state -> state.pci().vectors().get(1).pending());
  }

  private static final String FILES = "the file is as it was; DiskOriginTest changes it";

  private static DeviceModelContract<?, ?> disk(Path file) {
    return DeviceModelContract.of(new VirtioBlockFactory(), new VirtioBlockConfig(file.toString()))
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing("a write", machine -> write(new VirtioDriver(machine, false), machine))
        .mustReach(state -> state.overlay().length == 2 && state.virtio().status() == 15)
        .doing(
            "a write by a packed queue", machine -> write(new VirtioDriver(machine, true), machine))
        .mustReach(state -> state.virtio().queues().getFirst().position().available() == 0x8003)
        .outlivesReset("overlay", "it is the disk's contents")
        .doing(
            "a disk that has grown",
            machine -> {
              resize(machine);
              machine.runTasks();
            })
        .mustReach(state -> state.diskBytes() > state.baseBytes())
        .outlivesReset("diskBytes", "it is the disk's size")
        .unchanged("baseBytes", FILES)
        .unchanged("files[].bytes", FILES)
        .unchanged("files[].modifiedNanos", FILES)
        .unchanged("files[].place", FILES)
        .unchanged("files[].digest", FILES)
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another");
  }

  private static void resize(TestMachine machine) {
    try {
      Disk disk = machine.vm().device(VirtioDriver.PATH, Disk.class);
      disk.resize(disk.sizeBytes() + 4096);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a sector, and leaves registers of the transport as none is after a reset. */
  private static void write(VirtioDriver driver, TestMachine machine) {
    driver.setUp();
    machine.memory().writeInt(VirtioDriver.BUFFERS, 1);
    driver.submit(
        new VirtioDriver.Buffer(VirtioDriver.BUFFERS, 16, 0),
        new VirtioDriver.Buffer(VirtioDriver.BUFFERS + 0x1000, 512, 0),
        new VirtioDriver.Buffer(VirtioDriver.BUFFERS + 0x2000, 1, VirtioDriver.WRITE));
    driver.selectAnything();
  }

  private static DeviceModelContract<?, ?> entropy() {
    return DeviceModelContract.of(new VirtioRngFactory(), new VirtioRngConfig(true))
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing(
            "some entropy",
            machine -> {
              VirtioDriver driver = new VirtioDriver(machine, false);
              driver.setUp();
              driver.submit(new VirtioDriver.Buffer(VirtioDriver.BUFFERS, 24, VirtioDriver.WRITE));
              driver.selectAnything();
            })
        .mustReach(state -> state.drawn() == 3)
        .takesFromHost(SecureRandom.class, "for a machine that is not to repeat")
        .unchanged("virtio.generation", "it has no configuration")
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another")
        .unchanged("virtio.queues[].size", "the driver takes all of it");
  }

  private static DeviceModelContract<?, ?> networkCard() {
    return DeviceModelContract.of(new VirtioNetFactory(), VirtioNetConfig.DEFAULT)
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing(
            "a frame that is sent",
            machine -> {
              VirtioDriver driver = new VirtioDriver(machine, false, 1);
              driver.setUp();
              driver.submit(new VirtioDriver.Buffer(VirtioDriver.BUFFERS, 100, 0));
              driver.selectAnything();
            })
        .mustReach(state -> state.virtio().queues().get(1).position().used() == 1)
        .outlivesReset("mac", "it is the card's")
        .unchanged("mac", "it is the card's")
        .unchanged("network", "it is connected to nothing: UserStackTest")
        .unchanged("virtio.generation", "its configuration is always the same")
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another");
  }

  private static DeviceModelContract<?, ?> sockets() {
    return DeviceModelContract.of(new VirtioVsockFactory(), VirtioVsockConfig.DEFAULT)
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing(
            "a connection of the guest's, and one of the host's",
            machine -> {
              VsockDriver driver = new VsockDriver(machine, false).withBuffers();
              Vsock vsock = machine.vm().device(VirtioDriver.PATH, Vsock.class);
              try (VsockListener listener = vsock.listen(5000)) {
                driver.send(5000, 1, 1);
                listener.accept(Duration.ZERO);
                driver.awaitNext();
                Thread.ofVirtual().start(() -> connectInVain(vsock));
                driver.awaitNext();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
              driver.receiving().selectAnything();
            })
        .mustReach(state -> state.resetDue() && state.nextPort() == (1L << 30) + 1)
        .doing(
            "a refusal that waits for a buffer",
            machine -> new VsockDriver(machine, true).send(5000, 1, 1))
        .mustReach(state -> state.refusals().size() == 1)
        .unchanged("virtio.generation", "its configuration is always the same")
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another");
  }

  private static void connectInVain(Vsock vsock) {
    try {
      vsock.connect(80).close();
    } catch (IOException e) {
      return; // as is expected: nobody answers
    }
  }

  private static DeviceModelContract<?, ?> console() {
    return DeviceModelContract.of(
            new VirtioConsoleFactory(), VirtioConsoleConfig.withPorts("agent"))
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing(
            "a port that both have open, and a terminal that is resized",
            machine -> {
              ConsoleDriver driver = new ConsoleDriver(machine, false);
              ConsolePorts ports = machine.vm().device(VirtioDriver.PATH, ConsolePorts.class);
              driver.begin(4);
              ports.resize(100, 40);
              Thread.ofVirtual().start(() -> openInVain(ports));
              driver.awaitMessages(2);
              driver.queue(0).selectAnything();
              driver.message(0, 3, 1);
              driver.message(1, 6, 1);
            })
        .mustReach(state ->
            state.rows() == 40
                && state.ports().get(1).announced()
                && state.ports().get(1).guestOpen())
        .outlivesReset("columns", "the host sets it")
        .outlivesReset("rows", "the host sets it")
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another");
  }

  private static void openInVain(ConsolePorts ports) {
    try {
      ports.open("agent", Duration.ofSeconds(10)).read(ByteBuffer.allocate(1));
    } catch (IOException e) {
      return; // as is expected: the machine is closed
    }
  }

  private static DeviceModelContract<?, ?> balloon() {
    return DeviceModelContract.of(new VirtioBalloonFactory(), VirtioBalloonConfig.DEFAULT)
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing(
            "a balloon that is asked for and given",
            machine -> {
              VirtioDriver driver = new VirtioDriver(machine, false);
              driver.setUp();
              machine
                  .vm()
                  .device(VirtioDriver.PATH, Balloon.class)
                  .target(MemorySize.mebibytes(15));
              machine.memory().writeInt(VirtioDriver.BUFFERS, 0x200);
              driver.submit(new VirtioDriver.Buffer(VirtioDriver.BUFFERS, 4, 0));
              driver.storeRegister(0x2004, 4, 0x01020304);
              driver.selectAnything();
            })
        .mustReach(state -> state.wantedPages() == 256 && state.givenPages() == 0x01020304)
        .outlivesReset("wantedPages", "the host wants them")
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another");
  }

  private static DeviceModelContract<?, ?> keyboard() {
    return DeviceModelContract.of(new VirtioInputFactory(), VirtioInputConfig.KEYBOARD)
        .in(PciMachine.bus(), VirtioDriver.PATH)
        .doing(
            "a key for which there is no buffer",
            machine -> {
              VirtioDriver driver = new VirtioDriver(machine, false);
              driver.setUp();
              driver.submit(new VirtioDriver.Buffer(VirtioDriver.BUFFERS, 8, VirtioDriver.WRITE));
              machine.vm().device(VirtioDriver.PATH, Keyboard.class).key(30, true);
              machine.runTasks();
              driver.storeRegister(0x2000, 1, 0x11);
              driver.storeRegister(0x2001, 1, 1);
              driver.selectAnything();
            })
        .mustReach(state -> state.events().length == 8 && state.subselect() == 1)
        .unchanged("virtio.generation", "what it says of itself is always the same")
        .unchanged(
            "virtio.pci.vectors[].pending", "the PCI function's, which is tried with another");
  }

  private static DeviceModelContract<?, ?> panicFunction() {
    return DeviceModelContract.of(new PciPvpanicFactory(), PciPvpanicConfig.DEFAULT)
        .in(PciMachine.bus(), PciMachine.PATH)
        .doing("being decoded", PciMachine::setUp)
        .mustReach(state -> (state.pci().config()[4] & 2) != 0)
        .unchanged("pci.interrupt", "it has no pin")
        .unchanged("pci.vectors", "it has no MSI-X");
  }

  private static DeviceModelContract<?, ?> watchdog() {
    return DeviceModelContract.of(new WatchdogFactory(), WatchdogConfig.DEFAULT)
        .in(PciMachine.bus(), PciMachine.PATH)
        .doing(
            "the second stage",
            machine -> {
              WatchdogDriver driver = new WatchdogDriver(machine);
              driver.preload(1000, 5000);
              driver.lock(2);
              machine.advance(Duration.ofMillis(1100));
            })
        .mustReach(state -> state.secondStage() && state.expiresAt().isPresent())
        .doing(
            "a timeout that does no harm, and half an unlocking",
            machine -> {
              WatchdogDriver driver = new WatchdogDriver(machine);
              driver.preload(10, 20);
              driver.configure(0x20);
              driver.lock(2);
              machine.advance(Duration.ofMillis(50));
              driver.store(0xC, 2, 0x80);
            })
        .mustReach(state -> state.timedOut() && state.unlocking() == 1)
        .unchanged("pci.interrupt", "it has no pin")
        .unchanged("pci.vectors", "it has no MSI-X");
  }

  private static DeviceModelContract<?, ?> vmGenerationId() {
    return DeviceModelContract.of(new VmGenerationIdFactory(), VmGenerationIdConfig.DEFAULT)
        .doing("becoming a clone", machine -> machine.becomeClone(new UUID(1, 2)))
        .mustReach(VmGenerationIdState::changePending);
  }

  @SuppressWarnings("rawtypes") // A class literal has no type arguments.
  @Test
  void all_types_are_found_by_the_service_loader() {
    assertThat(ServiceLoader.load(DeviceFactory.class).stream().map(p -> p.get().type()))
        .contains(
            "i8259-pic",
            "ioapic",
            "i8254-pit",
            "uart16550",
            "mc146818-rtc",
            "i8042",
            "acpi-pm",
            "debug-exit",
            "debug-console",
            "bootrom",
            "fwcfg",
            "pc-testdev",
            "test-window",
            "system-control",
            "hpet",
            "vmgenid");
  }

  @Test
  void the_pc_board_has_its_devices_in_the_order_of_attachment() {
    Board board =
        ServiceLoader.load(Board.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(b -> b.name().equals("pc"))
            .findFirst()
            .orElseThrow();
    assertThat(List.copyOf(board.devices().keySet()))
        .containsExactly(
            "pic", "ioapic", "pit", "rtc", "i8042", "acpi-pm", "system-control", "vmgenid");
  }

  @SuppressWarnings("rawtypes") // A class literal has no type arguments.
  @Test
  void every_type_that_is_present_has_its_shapes_recorded() {
    for (DeviceFactory<?, ?> factory : ServiceLoader.load(DeviceFactory.class)) {
      RECORDED.check(factory.type(), factory.stateSchema());
      RECORDED.check(factory.type() + "/config", factory.configSchema());
    }
  }
}
