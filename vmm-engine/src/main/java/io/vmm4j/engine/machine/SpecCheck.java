package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.InvalidSpecException.Fault;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The faults of a specification that need the engine's eyes: all of them, not the first. */
final class SpecCheck {
  private final DeviceCatalog catalog;
  private final List<Fault> faults = new ArrayList<>();

  private SpecCheck(DeviceCatalog catalog) {
    this.catalog = catalog;
  }

  static List<Fault> check(DeviceCatalog catalog, VmSpec spec) {
    SpecCheck check = new SpecCheck(catalog);
    check.backend(spec);
    check.boot(spec.boot());
    check.devices(spec);
    return List.copyOf(check.faults);
  }

  private void backend(VmSpec spec) {
    String name = spec.backend().name();
    List<String> present = catalog.backends().stream().map(VmBackend::name).toList();
    if (!name.equals(BackendChoice.AUTO) && !present.contains(name)) {
      fault("backend", "no backend '%s'; present are: %s".formatted(name, list(present)));
    }
    if (spec.clock() == ClockMode.VIRTUAL && !BackendChooser.countsInstructions(name)) {
      fault(
          "clock",
          "virtual time needs a backend that counts instructions; '%s' does not".formatted(name));
    }
  }

  private void boot(BootSource boot) {
    switch (boot) {
      case BootSource.ResetVector none -> {}
      case BootSource.FlatRealMode flat -> {
        file("boot/image", flat.image());
        if (flat.address() < 0 || flat.address() >= 0x100000 || flat.address() % 16 != 0) {
          fault(
              "boot/address",
              "0x%x is not a multiple of 16 below 0x100000".formatted(flat.address()));
        }
      }
      case BootSource.Multiboot multiboot ->
          kernel(multiboot.kernel(), multiboot.modules(), multiboot.commandLine());
      case BootSource.Pvh pvh -> kernel(pvh.kernel(), pvh.modules(), pvh.commandLine());
      case BootSource.Detect detect ->
          kernel(detect.kernel(), detect.modules(), detect.commandLine());
      case LinuxBoot linux -> {
        file("boot/kernel", linux.kernel());
        text("boot/commandLine", linux.commandLine());
        linux.initrds().forEach(path -> file("boot/initrd", path));
      }
    }
  }

  private void kernel(Path kernel, List<BootSource.Module> modules, String commandLine) {
    file("boot/kernel", kernel);
    text("boot/commandLine", commandLine);
    for (BootSource.Module module : modules) {
      file("boot/initrd", module.file());
      text("boot/initrd", module.arguments());
    }
  }

  /** A guest takes a command line up to the first NUL. */
  private void text(String where, String text) {
    int nul = text.indexOf('\0');
    if (nul >= 0) {
      fault(where, "a NUL at character %d would end it there".formatted(nul + 1));
    }
  }

  private void file(String where, Path path) {
    if (path.toString().isEmpty()) {
      fault(where, "the path is empty");
    } else if (!Files.exists(path)) {
      fault(where, "no such file: " + path);
    } else if (Files.isDirectory(path)) {
      fault(where, "a directory, not a file: " + path);
    } else if (!Files.isReadable(path)) {
      fault(where, "can't be read: " + path);
    }
  }

  private void devices(VmSpec spec) {
    Board board = catalog.boards().get(spec.board());
    if (board == null) {
      fault(
          "board",
          "no board '%s'; present are: %s"
              .formatted(spec.board(), list(catalog.boards().keySet())));
      spec.devices().forEach(this::device);
      return;
    }
    MachinePlan.devices(spec, board).forEach(this::device);
  }

  private void device(String path, DeviceConfig config) {
    Optional<DeviceFactory<?, ?>> factory = catalog.factory(config.deviceType());
    if (factory.isEmpty()) {
      fault(
          "devices/" + path,
          "no device type '%s'; present are: %s"
              .formatted(config.deviceType(), list(catalog.factories().keySet())));
      return;
    }
    MachineDevice.fault(factory.get(), config).ifPresent(why -> fault("devices/" + path, why));
  }

  private static String list(Iterable<String> names) {
    String joined = String.join(", ", names);
    return joined.isEmpty() ? "none" : joined;
  }

  private void fault(String path, String message) {
    faults.add(new Fault(path, message));
  }
}
