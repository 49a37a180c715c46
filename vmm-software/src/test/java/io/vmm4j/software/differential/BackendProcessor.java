package io.vmm4j.software.differential;

import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.backend.PendingEvents;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.api.backend.Vcpu;
import io.vmm4j.api.backend.VcpuRunner.StopReason;
import io.vmm4j.api.backend.VmBackend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A vCPU of a backend, in a guest that has only what user code in 64-bit mode needs: page tables,
 * GDT, TSS, and an IDT whose 256 handlers write to a port, on which the vCPU is stopped. One
 * machine runs all cases; each is taken on by {@link Vcpu#restore} and looked at by {@link
 * Vcpu#save}.
 *
 * <p>CR0, CR4 and the selectors are those of Linux, so that {@link NativeProcessor} runs the same.
 */
final class BackendProcessor implements Processor {
  private static final int GDT = 0x1000;
  private static final int IDT = 0x2000;
  private static final int TSS = 0x3000;
  private static final int HANDLERS = 0x4000;
  private static final int KERNEL_STACK = 0x5000;
  private static final int KERNEL_END = 0x6000;
  private static final int TABLES = 0x8000;
  private static final int IMAGE = 0x10_0000;
  private static final long KERNEL = 0xFFFF_8000_0000_0000L;
  private static final int HANDLER_BYTES = 4;
  private static final int KERNEL_CS = 0x10;
  private static final int TSS_SELECTOR = 0x40;

  /** OUT 10h, AL; a jump to itself behind it. */
  private static final int HANDLER = 0xFEEB_10E6;

  private static final int PRESENT = 1;
  private static final int WRITABLE = 2;
  private static final int USER = 4;
  private static final long NO_EXECUTE = 1L << 63;

  private static final long CR0 = 0x8005_0033L; // PG AM WP NE ET MP PE
  private static final long CR4 = 0x4_06A0L; // OSXSAVE OSXMMEXCPT OSFXSR PGE PAE
  private static final long EFER = 0xD00; // NXE LMA LME
  private static final int MSR_EFER = 0xC000_0080;
  private static final int MSR_FS_BASE = 0xC000_0100;
  private static final int MSR_GS_BASE = 0xC000_0101;
  private static final int HEADER_END = 576;
  private static final int AVX_BYTES = 256;
  private static final int XSTATE_BV = 512;
  private static final int FCW = 0x37F;
  private static final long DR6 = 0xFFFF_0FF0L;
  private static final int DB = 1;

  /** Vectors whose exceptions push an error code: DF, TS, NP, SS, GP, PF, AC. */
  private static final int WITH_ERROR_CODE =
      1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

  private static final long MOST_INSTRUCTIONS = 1_000_000;
  private static final long SECONDS_A_CASE = 5;

  private final String name;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;
  private final BackendMachine machine;
  private final Vcpu vcpu;
  private final CpuState template;
  private final ScheduledThreadPoolExecutor watchdog =
      new ScheduledThreadPoolExecutor(
          1, task -> Thread.ofPlatform().daemon().name("differential watchdog").unstarted(task));
  private int nextTable = TABLES + Layout.PAGE;
  private volatile boolean late;
  private boolean ended;

  private BackendProcessor(String name, VmBackend backend, Translation translation) {
    this.name = name;
    BareHost host = new BareHost(arena, backend, translation, this::ends);
    memory = host.memory();
    build();
    machine = backend.open(host);
    vcpu = machine.vcpu(0);
    machine.memoryMapChanged();
    template = vcpu.save();
    watchdog.setRemoveOnCancelPolicy(true);
  }

  /**
   * Opens a machine of the backend of a name, or of a tier of the software backend: {@code
   * interpreter} or {@code machine-code}.
   *
   * @throws UnavailableException if there is none, or it can't run here
   */
  static BackendProcessor open(String name) {
    return switch (name) {
      case "interpreter" -> open(name, "software", Translation.OFF);
      case "machine-code" -> translatedAtOnce(name);
      default -> open(name, name, Translation.AUTO);
    };
  }

  /** A case is executed once, and has to be translated by then. */
  private static BackendProcessor translatedAtOnce(String name) {
    String threshold = "vmm4j.translation.threshold";
    String before = System.getProperty(threshold);
    System.setProperty(threshold, "1");
    try {
      return open(name, "software", Translation.REQUIRED);
    } catch (BackendUnavailableException e) {
      throw new UnavailableException(String.valueOf(e.getMessage()));
    } finally {
      if (before == null) {
        System.clearProperty(threshold);
      } else {
        System.setProperty(threshold, before);
      }
    }
  }

  private static BackendProcessor open(String as, String name, Translation translation) {
    for (VmBackend backend : ServiceLoader.load(VmBackend.class)) {
      if (backend.name().equals(name)) {
        BackendProbe probe = backend.probe();
        if (!probe.usable()) {
          throw new UnavailableException(probe.detail());
        }
        return new BackendProcessor(as, backend, translation);
      }
    }
    throw new UnavailableException("there is no backend of that name");
  }

  @Override
  public String name() {
    return name;
  }

  private void ends() {
    ended = true;
    vcpu.kick();
  }

  // ---- the guest ----

  private void build() {
    for (int at = 0; at < KERNEL_END; at += Layout.PAGE) {
      map(KERNEL + at, at, PRESENT | WRITABLE);
    }
    for (int i = 0; i < Layout.PAGES.length; i++) {
      long linear = Layout.PAGES[i];
      boolean code = linear == Layout.CODE;
      boolean writable = !code && linear != Layout.READ_ONLY;
      map(
          linear,
          IMAGE + i * Layout.PAGE,
          PRESENT | USER | (writable ? WRITABLE : 0) | (code ? 0 : NO_EXECUTE));
    }
    put(GDT + KERNEL_CS, 0x00AF_9B00_0000_FFFFL);
    put(GDT + KERNEL_CS + 8, 0x00CF_9300_0000_FFFFL);
    put(GDT + 0x20, 0x00CF_FB00_0000_FFFFL); // compatibility mode
    put(GDT + (Layout.USER_SS & ~7), 0x00CF_F300_0000_FFFFL);
    put(GDT + (Layout.USER_CS & ~7), 0x00AF_FB00_0000_FFFFL);
    long tss = KERNEL + TSS;
    put(
        GDT + TSS_SELECTOR,
        0x67 | (tss & 0xFF_FFFF) << 16 | 0x8BL << 40 | (tss >>> 24 & 0xFF) << 56);
    put(GDT + TSS_SELECTOR + 8, tss >>> 32);
    long stack = KERNEL + KERNEL_STACK + Layout.PAGE;
    memory.set(ValueLayout.JAVA_LONG_UNALIGNED, TSS + 4, stack);
    memory.set(ValueLayout.JAVA_SHORT, TSS + 0x66, (short) 0x68); // no map of I/O permissions
    for (int vector = 0; vector < 256; vector++) {
      long handler = KERNEL + HANDLERS + HANDLER_BYTES * vector;
      // User code may raise #BP and #OF itself, as on Linux.
      long access = vector == 3 || vector == 4 ? 0xEE00L : 0x8E00L;
      put(
          IDT + 16 * vector,
          handler & 0xFFFF
              | (long) KERNEL_CS << 16
              | access << 32
              | (handler >>> 16 & 0xFFFF) << 48);
      put(IDT + 16 * vector + 8, handler >>> 32);
      memory.set(ValueLayout.JAVA_INT, HANDLERS + HANDLER_BYTES * vector, HANDLER);
    }
  }

  private void map(long linear, int physical, long attributes) {
    int table = TABLES;
    for (int level = 4; level > 1; level--) {
      int entry = table + (int) (linear >>> 3 + 9 * level & 511) * 8;
      if (get(entry) == 0) {
        put(entry, nextTable | PRESENT | WRITABLE | USER);
        nextTable += Layout.PAGE;
      }
      table = (int) (get(entry) & ~0xFFFL);
    }
    put(table + (int) (linear >>> 12 & 511) * 8, physical | attributes);
  }

  private void put(int at, long value) {
    memory.set(ValueLayout.JAVA_LONG, at, value);
  }

  private long get(int at) {
    return memory.get(ValueLayout.JAVA_LONG, at);
  }

  private CpuState begin(UserState start) {
    List<MsrState> msrs = new ArrayList<>();
    for (MsrState m : template.msrs()) {
      msrs.add(
          switch (m.index()) {
            case MSR_EFER -> new MsrState(MSR_EFER, EFER);
            case MSR_FS_BASE -> new MsrState(MSR_FS_BASE, Layout.FS_BASE);
            case MSR_GS_BASE -> new MsrState(MSR_GS_BASE, Layout.GS_BASE);
            default -> m;
          });
    }
    boolean avx = HostFeatures.PRESENT.has(CpuFeature.AVX);
    byte[] xsave = new byte[HEADER_END + AVX_BYTES];
    System.arraycopy(start.fx(), 0, xsave, 0, UserState.LEGACY_BYTES);
    System.arraycopy(start.fx(), UserState.LEGACY_BYTES, xsave, HEADER_END, AVX_BYTES);
    xsave[XSTATE_BV] = (byte) (avx ? 7 : 3);
    SegmentState none = new SegmentState(0, 0, 0xFFFF_FFFFL, SegmentState.UNUSABLE);
    return new CpuState(
        start.gpr().clone(),
        start.rip(),
        start.rflags() | 0x202,
        none,
        new SegmentState(Layout.USER_CS, 0, 0xFFFF_FFFFL, 0xA0FB),
        new SegmentState(Layout.USER_SS, 0, 0xFFFF_FFFFL, 0xC0F3),
        none,
        new SegmentState(0, Layout.FS_BASE, 0xFFFF_FFFFL, SegmentState.UNUSABLE),
        new SegmentState(0, Layout.GS_BASE, 0xFFFF_FFFFL, SegmentState.UNUSABLE),
        new SegmentState(0, 0, 0, SegmentState.UNUSABLE),
        new SegmentState(TSS_SELECTOR, KERNEL + TSS, 0x67, 0x8B),
        new TableState(KERNEL + GDT, 0x7F),
        new TableState(KERNEL + IDT, 0xFFF),
        CR0,
        0,
        TABLES,
        CR4,
        new long[] {0, 0, 0, 0, DR6, 0x400},
        avx ? 7 : 3,
        xsave,
        msrs,
        PendingEvents.none(),
        ActivityState.RUNNING,
        template.apic(),
        template.tsc());
  }

  // ---- a case ----

  @Override
  public Outcome run(Case c) {
    MemorySegment.copy(c.memory(), 0, memory, ValueLayout.JAVA_BYTE, IMAGE, Layout.IMAGE_BYTES);
    machine.memoryWritten(IMAGE, Layout.PAGE);
    vcpu.restore(begin(c.start()));
    ended = false;
    late = false;
    ScheduledFuture<?> limit =
        watchdog.schedule(
            () -> {
              late = true;
              vcpu.kick();
            },
            SECONDS_A_CASE,
            TimeUnit.SECONDS);
    boolean counts = vcpu.instructionsExecuted() >= 0;
    StopReason reason = vcpu.run(counts ? MOST_INSTRUCTIONS : Long.MAX_VALUE);
    limit.cancel(false);
    if (ended) {
      return outcome(vcpu.save());
    }
    if (reason == StopReason.SHUTDOWN) {
      return outcome(vcpu.save(), Outcome.TRIPLE_FAULT);
    }
    if (late || reason == StopReason.BUDGET) {
      return outcome(vcpu.save(), Outcome.ENDLESS);
    }
    throw new IllegalStateException("%s: %s in case seed %d".formatted(name, reason, c.seed()));
  }

  /** The state of a vCPU that has not come to a handler. */
  private Outcome outcome(CpuState s, int vector) {
    UserState state = new UserState(s.gpr(), s.rip(), s.rflags(), fx(s.xsave()));
    return new Outcome(vector, 0, s.cr2(), s.dr()[4], state, image());
  }

  /** The state that has come to a handler: part of it is in the frame on the stack. */
  private Outcome outcome(CpuState s) {
    int vector = (int) (s.rip() - KERNEL - HANDLERS) / HANDLER_BYTES;
    int frame = (int) (s.gpr()[4] - KERNEL);
    long error = 0;
    if (vector < 32 && (WITH_ERROR_CODE >> vector & 1) != 0) {
      error = get(frame);
      frame += 8;
    }
    long[] gpr = s.gpr().clone();
    gpr[4] = get(frame + 24);
    UserState state = new UserState(gpr, get(frame), get(frame + 16), fx(s.xsave()));
    return new Outcome(
        vector, error, s.cr2(), vector == DB ? s.dr()[4] : Outcome.UNKNOWN, state, image());
  }

  /**
   * The vectors' and the legacy region, with the initial values of what is in its initial state
   * (XSTATE_BV).
   */
  private static byte[] fx(byte[] xsave) {
    byte[] fx = new byte[UserState.FX_BYTES];
    System.arraycopy(xsave, 0, fx, 0, UserState.LEGACY_BYTES);
    if ((xsave[XSTATE_BV] & 4) != 0) {
      System.arraycopy(xsave, HEADER_END, fx, UserState.LEGACY_BYTES, AVX_BYTES);
    }
    if ((xsave[XSTATE_BV] & 1) == 0) {
      Arrays.fill(fx, 0, 24, (byte) 0);
      Arrays.fill(fx, 32, 160, (byte) 0);
      fx[0] = (byte) FCW;
      fx[1] = (byte) (FCW >> 8);
    }
    if ((xsave[XSTATE_BV] & 2) == 0) {
      Arrays.fill(fx, 160, 416, (byte) 0);
    }
    return fx;
  }

  private byte[] image() {
    byte[] image = new byte[Layout.IMAGE_BYTES];
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, IMAGE, image, 0, image.length);
    return image;
  }

  @Override
  public void close() {
    watchdog.shutdownNow();
    machine.close();
    arena.close();
  }
}
