package io.vmm4j.api.boot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What a machine starts from. Files are read when the machine is started, not before. */
public sealed interface BootSource
    permits BootSource.ResetVector,
        BootSource.Multiboot,
        BootSource.Pvh,
        BootSource.FlatRealMode,
        BootSource.Detect,
        LinuxBoot {

  /**
   * Starts nothing: the first processor waits at the reset vector of whatever memory and device
   * memory hold there. For firmware that a device (such as {@code bootrom}) brings.
   */
  record ResetVector() implements BootSource {}

  /**
   * A file that is loaded beside a kernel: a Multiboot or PVH module, or an initial RAM disk.
   *
   * @param file the file, whose bytes are loaded as they are
   * @param arguments the module's string; how a kernel gets it, the kind of kernel says
   */
  record Module(Path file, String arguments) {

    /** Refuses absent parts. */
    public Module {
      Objects.requireNonNull(file, "file");
      Objects.requireNonNull(arguments, "arguments");
    }

    /** Returns a module without arguments. */
    public static Module of(Path file) {
      return new Module(file, "");
    }

    private static List<Module> with(List<Module> modules, Module another) {
      List<Module> more = new ArrayList<>(modules);
      more.add(another);
      return List.copyOf(more);
    }
  }

  /**
   * A Multiboot 1 kernel (Multiboot specification 0.6.96), an ELF or a flat image with the address
   * fields of its header; it may be packed with gzip.
   *
   * <p>The kernel's command line begins with the kernel's path, and each module's string with the
   * module's path, as a program's arguments begin with its name. A space and the arguments follow,
   * if there are any.
   *
   * @param modules in the order in which the kernel finds them
   */
  record Multiboot(Path kernel, List<Module> modules, String commandLine) implements BootSource {

    /** Refuses absent parts. */
    public Multiboot {
      Objects.requireNonNull(kernel, "kernel");
      Objects.requireNonNull(modules, "modules");
      modules = List.copyOf(modules);
      Objects.requireNonNull(commandLine, "commandLine");
    }

    /** Returns a source without modules or command line. */
    public static Multiboot kernel(Path file) {
      return new Multiboot(file, List.of(), "");
    }

    /** Returns the same with one more module. */
    public Multiboot module(Path file, String arguments) {
      return new Multiboot(kernel, Module.with(modules, new Module(file, arguments)), commandLine);
    }

    /** Returns the same with one more module, without arguments. */
    public Multiboot module(Path file) {
      return module(file, "");
    }

    /** Returns the same with another command line. */
    public Multiboot commandLine(String text) {
      return new Multiboot(kernel, modules, text);
    }
  }

  /**
   * An ELF kernel with a PVH entry note (Xen x86/HVM direct boot ABI); it may be packed with gzip.
   * Command lines hold the arguments alone.
   *
   * @param modules in the order in which the kernel finds them; Linux takes the first for its
   *     initial RAM disk
   */
  record Pvh(Path kernel, List<Module> modules, String commandLine) implements BootSource {

    /** Refuses absent parts. */
    public Pvh {
      Objects.requireNonNull(kernel, "kernel");
      Objects.requireNonNull(modules, "modules");
      modules = List.copyOf(modules);
      Objects.requireNonNull(commandLine, "commandLine");
    }

    /** Returns a source without modules or command line. */
    public static Pvh kernel(Path file) {
      return new Pvh(file, List.of(), "");
    }

    /** Returns the same with one more module. */
    public Pvh module(Path file, String arguments) {
      return new Pvh(kernel, Module.with(modules, new Module(file, arguments)), commandLine);
    }

    /** Returns the same with one more module, without arguments. */
    public Pvh module(Path file) {
      return module(file, "");
    }

    /** Returns the same with another command line. */
    public Pvh commandLine(String text) {
      return new Pvh(kernel, modules, text);
    }
  }

  /**
   * A flat image, copied to {@code address} and entered there in real mode, with CS = address >> 4,
   * IP = 0 and the other segments alike.
   *
   * @param address a multiple of 16, below 0x100000
   */
  record FlatRealMode(Path image, int address) implements BootSource {

    /** Refuses absent parts. */
    public FlatRealMode {
      Objects.requireNonNull(image, "image");
    }
  }

  /**
   * Looks at the file: a Linux bzImage, a Multiboot kernel, or a PVH ELF.
   *
   * @param modules for Linux the initial RAM disks, which take no arguments
   */
  record Detect(Path kernel, List<Module> modules, String commandLine) implements BootSource {

    /** Refuses absent parts. */
    public Detect {
      Objects.requireNonNull(kernel, "kernel");
      Objects.requireNonNull(modules, "modules");
      modules = List.copyOf(modules);
      Objects.requireNonNull(commandLine, "commandLine");
    }
  }
}
