package io.vmm4j.cli;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Builds a machine and runs it. */
@picocli.CommandLine.Command(
    name = "run",
    header = "Build a machine and run it until it ends.",
    description = {
      "%nThe guest's first serial port (com1: port 0x3F8, IRQ 4) is standard input and output; on a"
          + " terminal every key goes to the guest, Ctrl-C too. Ctrl-A x ends the machine, Ctrl-A"
          + " Ctrl-A is one Ctrl-A. The end of standard input does not end the guest. Messages and"
          + " the debug console (port 0xE9) go to standard error.",
      "%nThe machine is a PC with interrupt controllers, timers, clock, keyboard controller and ACPI"
          + " power management; com1, debug-exit (port 0xF4) and debug-console (port 0xE9) are added"
          + " unless --device gives another device of that path.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ./vmm run --kernel vmlinuz --initrd initrd --append \"console=ttyS0 panic=-1\"",
      "  ./vmm run --kernel test.elf --timeout 60s; echo $?      # a Multiboot kernel's verdict",
      "  ./vmm run --kernel vmlinuz --append console=ttyS0 --device uart16550,path=com2,port=0x2f8,irq=3",
      "  ./vmm run --kernel vmlinuz --initrd initrd.img --append \"console=ttyS0 root=/dev/vda\" --disk"
          + " debian.raw",
      "  ./vmm run --device help                                 # the devices and their keys",
      "",
      "Exit codes: 0 power-off, (v << 1) | 1 debug exit with v, else see vmm --help."
    })
final class RunCommand extends Command {
  private static final String UART = "uart16550";
  private static final String DEBUG_EXIT = "debug-exit";
  private static final String BOOT_ROM = "bootrom";

  @Mixin MachineOptions machine = new MachineOptions();
  @Mixin SaveOptions save = new SaveOptions();
  @Mixin PciOptions pci = new PciOptions();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = Size.class,
      description = "RAM, such as 512M or 2G (default: 512M).")
  MemorySize memory = MemorySize.mebibytes(512);

  @Option(
      names = "--tsc-hz",
      paramLabel = "HZ",
      description =
          "The frequency of the guest's time-stamp counter (default: 1 GHz, or what all backends"
              + " that can run here can give).")
  @Nullable Long tscHz;

  @Option(
      names = "--without",
      paramLabel = "FEATURE",
      split = ",",
      description = "Features of the processor that the guest is not to have, such as PCID,XSAVE.")
  CpuFeature[] without = {};

  @Option(
      names = "--with",
      paramLabel = "FEATURE",
      split = ",",
      description =
          "Features of the processor that the guest is to have besides, such as BMI1,BMI2,PKU.")
  CpuFeature[] with = {};

  @Option(
      names = "--cpu-model",
      paramLabel = "v2|v3",
      converter = Model.class,
      description =
          "The level of the processor: x86-64-v2, or x86-64-v3 with AVX2, FMA and BMI2, which"
              + " some systems need (default: v2).")
  CpuModel model = CpuModel.V2;

  @Option(
      names = "--cpu-vendor",
      paramLabel = "INTEL|AMD",
      description = "Whose processor the guest finds (default: ${DEFAULT-VALUE}).")
  CpuVendor vendor = CpuVendor.INTEL;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description =
          "How many vCPUs, 1 to "
              + VmSpec.MAX_CPUS
              + "; the software backend runs them in parallel, and in turn with --clock virtual"
              + " (default: 1).")
  int cpus = 1;

  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description =
          "What to boot: a Linux bzImage, a Multiboot 1 kernel, or an ELF with a PVH note. Needed"
              + " unless --device "
              + BOOT_ROM
              + " brings firmware.")
  @Nullable Path kernel;

  @Option(
      names = "--initrd",
      paramLabel = "FILE[ ARGUMENTS]",
      description =
          "Initial RAM disk of Linux, or a module of another kernel, whose string is the whole text;"
              + " may be given again.")
  List<String> initrds = new ArrayList<>();

  @Option(names = "--append", paramLabel = "TEXT", description = "The kernel's command line.")
  String append = "";

  @Option(
      names = "--device",
      paramLabel = "TYPE[,key=value…]",
      description =
          "Add a device; may be given again. path=PATH sets its place (default: type and number)."
              + " --device help lists the types and their keys.")
  List<String> devices = new ArrayList<>();

  @Option(
      names = "--clock",
      paramLabel = "real|virtual",
      converter = Clock.class,
      description =
          "How guest time passes: with the host's, or counted in instructions, so that a run"
              + " repeats (default: real).")
  ClockMode clock = ClockMode.REAL;

  @Override
  public Integer call() throws Exception {
    DeviceTypes types = DeviceTypes.present();
    if (devices.contains("help")) {
      streams().print(types.describe());
      return ExitCode.OK;
    }
    save.check();
    Map<String, DeviceConfig> all = devices(types);
    BootSource boot = boot(all);
    machine.check();
    VmSpec.Builder builder =
        VmSpec.builder("vmm")
            .backend(machine.backend())
            .memory(memory)
            .cpus(cpus)
            .boot(boot)
            .clock(clock);
    all.forEach(builder::device);
    builder.cpuModel(model).withoutCpuFeatures(without).withCpuFeatures(with).cpuVendor(vendor);
    if (tscHz != null) {
      builder.tscFrequencyHz(tscHz);
    }
    messages().progress("building the machine");
    try (Vm vm = Vm.create(builder.build())) {
      messages().endProgress();
      return new Session(vm, streams(), messages(), save, machine)
          .run((guest, onEscape) -> SerialInput.standard(streams(), guest, onEscape));
    }
  }

  private BootSource boot(Map<String, DeviceConfig> all) {
    if (kernel != null) {
      return new BootSource.Detect(
          kernel, initrds.stream().map(RunCommand::module).toList(), append);
    }
    if (all.values().stream().noneMatch(device -> device.deviceType().equals(BOOT_ROM))) {
      throw new UsageException(
          "--kernel FILE is missing, and no --device bootrom is there to boot");
    }
    return new BootSource.ResetVector();
  }

  /** A file and its arguments, apart at the first space, unless all of it is a file's name. */
  private static BootSource.Module module(String text) {
    int space = text.indexOf(' ');
    Path whole = PathText.of("--initrd", text);
    return space < 0 || Files.exists(whole)
        ? BootSource.Module.of(whole)
        : new BootSource.Module(
            PathText.of("--initrd", text.substring(0, space)), text.substring(space + 1).strip());
  }

  /** The devices of the command line, and before them the usual ones that it does not replace. */
  Map<String, DeviceConfig> devices(DeviceTypes types) {
    Map<String, DeviceConfig> given = new LinkedHashMap<>();
    for (String text : devices) {
      DeviceOption option = DeviceOption.parse(text, types);
      String path = option.pathAmong(given);
      if (given.putIfAbsent(path, option.config()) != null) {
        throw new UsageException("--device " + text + ": there is another device " + path);
      }
    }
    Map<String, DeviceConfig> all = new LinkedHashMap<>();
    Map<String, String> usual = new LinkedHashMap<>();
    usual.put(Session.SERIAL, UART);
    usual.put(DEBUG_EXIT, DEBUG_EXIT);
    usual.put(Session.DEBUG_CONSOLE, Session.DEBUG_CONSOLE);
    usual.forEach((path, type) -> {
      if (!given.containsKey(path) && types.find(type).isPresent()) {
        all.put(path, DeviceOption.parse(type, types).config());
      }
    });
    all.putAll(given);
    pci.addTo(all, types, machine.vsock != null);
    return all;
  }

  /** Reads a memory size. */
  static final class Size implements ITypeConverter<MemorySize> {
    @Override
    public MemorySize convert(String text) {
      try {
        return MemorySize.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(Objects.requireNonNull(e.getMessage()));
      }
    }
  }

  /** Reads a clock mode. */
  static final class Model implements ITypeConverter<CpuModel> {
    @Override
    public CpuModel convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "v2" -> CpuModel.V2;
        case "v3" -> CpuModel.V3;
        default -> throw new TypeConversionException("'" + text + "' is not one of v2, v3");
      };
    }
  }

  static final class Clock implements ITypeConverter<ClockMode> {
    @Override
    public ClockMode convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "real" -> ClockMode.REAL;
        case "virtual" -> ClockMode.VIRTUAL;
        default -> throw new TypeConversionException("'" + text + "' is not one of real, virtual");
      };
    }
  }
}
