package io.vmm4j.software.machinecode;

import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.software.cpu.Block;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.DecodedCode;
import io.vmm4j.software.cpu.KnownBlocks;
import io.vmm4j.software.cpu.TranslatedBlock;
import io.vmm4j.software.cpu.VcpuThreads;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The machine code of one machine, which its vCPUs share as they share decoded blocks.
 *
 * <p>Where vCPUs run in parallel, code is made, linked and made void under the lock of {@link
 * DecodedCode}, while others execute it. A link is changed by one aligned store; a void block is
 * left where it is and nothing leads there any more. Code memory is used again only once every vCPU
 * has passed ({@link VcpuThreads}).
 */
public final class MachineCode implements AutoCloseable {
  // Linux, include/uapi/asm-generic/mman-common.h
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_REMOVE = 9;

  private static final long DEFAULT_BYTES = 64L << 20;

  /** Room for the code of one block: 64 instructions at their longest. */
  private static final int LARGEST_BLOCK = 64 << 10;

  private final CodeMemory memory;
  private final CodeFeatures features;
  private final CodePages pages;
  private final Stubs stubs;
  private final BlockTranslator translator;
  private final TranslationTable translations = new TranslationTable();
  private final List<MachineCodeRunner> runners = new ArrayList<>();
  private final int firstCode;
  private final TranslationOptions options;
  private final @Nullable CodeCheck check;
  private @Nullable DecodedCode decoded;
  private boolean closed;
  private final @Nullable KnownBlocks known;

  /** The epoch after which nobody executes code that is to go, or 0. */
  private long draining;

  private long translated;
  private long reused;
  private long evictions;

  private MachineCode(
      CodeMemory memory,
      long guestBytes,
      CodeFeatures features,
      TranslationOptions options,
      @Nullable KnownBlocks known) {
    this.known = known;
    this.memory = memory;
    this.options = options;
    this.pages = new CodePages(guestBytes);
    this.features = features;
    this.stubs = new Stubs(memory, features.wide());
    this.translator = new BlockTranslator(stubs, features);
    this.firstCode = memory.next();
    this.check = options.verify() ? new CodeCheck(memory, stubs, features) : null;
  }

  /**
   * Gives pages of mapped memory back to the host, where machine code can be made.
   *
   * @param shared whether they become holes of their file; else a private mapping has those of the
   *     file again
   * @return whether the host has taken them
   */
  public static boolean releasePages(MemorySegment pages, boolean shared) {
    return Libc.advise(pages.address(), pages.byteSize(), shared ? MADV_REMOVE : MADV_DONTNEED);
  }

  /** What is missing for machine code to be made here; empty if it can be. */
  public static Optional<String> missing() {
    if (!"amd64".equals(System.getProperty("os.arch"))
        || !"Linux".equals(System.getProperty("os.name"))) {
      return Optional.of("it is made on x86-64 Linux alone");
    }
    List<String> lacking = HostProcessor.missing();
    if (!lacking.isEmpty()) {
      return Optional.of("the host's processor lacks " + String.join(", ", lacking));
    }
    Module module = MachineCode.class.getModule();
    if (!module.isNativeAccessEnabled()) {
      return Optional.of(
          "the JVM option --enable-native-access=%s would make the guest some twenty times faster"
              .formatted(module.isNamed() ? module.getName() : "ALL-UNNAMED"));
    }
    return Optional.empty();
  }

  /** Whether the host's processor has what machine code of instructions with VEX is made of. */
  public static boolean hasVex() {
    return HostProcessor.hasVex();
  }

  /**
   * Makes room for machine code; only where nothing is {@link #missing}.
   *
   * @param host the machine
   * @param known the blocks that machines with like processors share
   * @throws UnsupportedOperationException if the host does not allow it; the message says why
   */
  public static MachineCode open(BackendHost host, KnownBlocks known) {
    return open(host, DEFAULT_BYTES, TranslationOptions.ofProperties(), known);
  }

  /** The same for a machine that shares nothing. */
  public static MachineCode open(BackendHost host) {
    return open(host, DEFAULT_BYTES);
  }

  /** The same with a budget in bytes, for a machine that shares nothing. */
  public static MachineCode open(BackendHost host, long bytes) {
    return open(host, bytes, TranslationOptions.ofProperties(), null);
  }

  /** The same with options too. */
  static MachineCode open(
      BackendHost host, long bytes, TranslationOptions options, @Nullable KnownBlocks known) {
    return new MachineCode(
        CodeMemory.allocate(bytes),
        host.memory().byteSize(),
        CodeFeatures.of(host.cpuid()),
        options,
        known);
  }

  /** What executes the instructions of a vCPU of this machine. */
  public MachineCodeRunner runner(Cpu cpu) {
    DecodedCode shared = cpu.mmu.code().decoded();
    decoded = shared;
    translator.leaveAtPause(shared.isParallel());
    MachineCodeRunner runner = new MachineCodeRunner(cpu, this);
    runners.add(runner);
    return runner;
  }

  TranslationOptions options() {
    return options;
  }

  CodeFeatures features() {
    return features;
  }

  Stubs stubs() {
    return stubs;
  }

  /** The way in, to call. */
  MemorySegment entry() {
    return memory.entry(stubs.entry);
  }

  /** The address that an offset into code memory is executed at. */
  long address(int offset) {
    return memory.address(offset);
  }

  Translation translation(int number) {
    return translations.get(number);
  }

  /**
   * Makes code of a block; all other code may have to go for it.
   *
   * @param secondOffset where the page it goes on into lies in the machine's memory
   * @return the code, or null if there is no room yet, or the block is void by now
   */
  @Nullable Translation translate(Block block, int mode, long secondOffset) {
    if (!isParallel()) {
      return make(block, mode, secondOffset);
    }
    lock().lock();
    try {
      for (TranslatedBlock made : block.translations()) {
        if (made instanceof Translation t && t.mode == mode) {
          return t; // another vCPU was faster
        }
      }
      return block.isValid() ? make(block, mode, secondOffset) : null;
    } finally {
      lock().unlock();
    }
  }

  private @Nullable Translation make(Block block, int mode, long secondOffset) {
    if (!makeRoom()) {
      return null;
    }
    long table = block.crossesPage ? pages.tableAddress(mode, secondOffset) : 0;
    CodeTemplate template = translator.translate(block, mode, table);
    if (known != null) {
      block.makeKnown(known, mode, template);
    }
    translated++;
    return place(block, mode, template);
  }

  /**
   * The code of a block that was made before, by whichever machine; null if there is none. Only
   * machines whose vCPUs run on one thread share code.
   */
  @Nullable Translation reuse(Block block, int mode) {
    if (block.knownCode(mode) instanceof CodeTemplate template && makeRoom()) {
      reused++;
      return place(block, mode, template);
    }
    return null;
  }

  private boolean makeRoom() {
    boolean full =
        draining != 0
            || !memory.hasRoom(LARGEST_BLOCK)
            || translations.size() == Exit.MOST_TRANSLATIONS;
    return !full || evict();
  }

  private Translation place(Block block, int mode, CodeTemplate template) {
    Translation t =
        new Translation(block, mode, translations.size(), template, memory, pages, isParallel());
    if (check != null) {
      check.check(t);
    }
    translations.add(t);
    t.published();
    block.addTranslation(t);
    return t;
  }

  /** Has a jump of a translation lead to another translation from now on. */
  void link(Translation from, boolean taken, Translation to) {
    if (!isParallel()) {
      linkNow(from, taken, to);
      return;
    }
    lock().lock();
    try {
      if (from.valid && to.valid) {
        linkNow(from, taken, to);
      }
    } finally {
      lock().unlock();
    }
  }

  private void linkNow(Translation from, boolean taken, Translation to) {
    if (check != null) {
      CodeCheck.checkLink(from, taken, to, translations.all());
    }
    from.link(taken, to);
  }

  private boolean isParallel() {
    return shared().isParallel();
  }

  private DecodedCode shared() {
    DecodedCode d = decoded;
    if (d == null) {
      throw new IllegalStateException("no vCPU runs it");
    }
    return d;
  }

  private ReentrantLock lock() {
    return shared().lock();
  }

  CodePages pages() {
    return pages;
  }

  /** The address that code memory is executed at. */
  long base() {
    return memory.address(0);
  }

  /** Has all code go; false if some may be executed still. */
  private boolean evict() {
    VcpuThreads threads = shared().threads();
    if (draining == 0) {
      for (Translation t : translations.all()) {
        if (isParallel()) {
          t.invalidate();
        }
        t.valid = false;
        t.block.forgetTranslations();
      }
      draining = isParallel() ? threads.begin() : 0;
    }
    if (!threads.reached(draining)) {
      return false;
    }
    draining = 0;
    translations.clear();
    memory.truncate(firstCode);
    pages.clear();
    evictions++;
    return true;
  }

  /** All code there is, for tests. */
  List<Translation> translations() {
    return List.copyOf(translations.all());
  }

  /** The bytes of code at an offset, for tests. */
  byte[] bytes(int offset, int length) {
    return memory.bytes(offset, length);
  }

  /** Adds what was counted, by name, to a map. From any thread. */
  public void count(Map<String, Long> counters) {
    counters.put(
        "interpretedInstructions",
        runners.stream().mapToLong(MachineCodeRunner::interpretedInstructions).sum());
    for (int reason = 0; reason < Exit.REASONS; reason++) {
      long sum = 0;
      for (MachineCodeRunner runner : runners) {
        sum += runner.exits(reason);
      }
      counters.put("codeExits." + Exit.NAMES.get(reason), sum);
    }
    counters.put("codeTranslations", translated);
    counters.put("codeReused", reused);
    counters.put("codeInvalidations", pages.invalidations());
    counters.put("codeEvictions", evictions);
    counters.put("codeBytes", (long) memory.used());
    counters.put("codeTableBytes", pages.bytes());
  }

  /** May be called more than once: what was unmapped may belong to somebody else by then. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      memory.close();
      pages.close();
    }
  }
}
