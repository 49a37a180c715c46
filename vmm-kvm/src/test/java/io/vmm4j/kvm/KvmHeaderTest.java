package io.vmm4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written by hand from {@code <linux/kvm.h>} is what a C compiler finds there. */
class KvmHeaderTest {
  private static final Path HEADER = Path.of("/usr/include/linux/kvm.h");

  @TempDir private Path directory;

  /** By an expression of C, what is written here. */
  private final Map<String, Long> written = new LinkedHashMap<>();

  @Test
  void requestsCapabilitiesAndStructuresAreThoseOfTheHeader() throws Exception {
    for (Ioctl request : Ioctl.values()) {
      written.put(request.name(), request.request());
    }
    for (Capability capability : Capability.values()) {
      written.put(capability.name(), (long) capability.number());
    }
    runPage();
    events();
    routesAndDescriptors();
    registers();
    others();
    assertThat(compiled()).isEqualTo(written);
  }

  private void runPage() throws ReflectiveOperationException {
    Class<?> page = RunPage.class;
    constant(page, "EXIT_IO", "KVM_EXIT_IO");
    constant(page, "EXIT_DEBUG", "KVM_EXIT_DEBUG");
    constant(page, "EXIT_HLT", "KVM_EXIT_HLT");
    constant(page, "EXIT_MMIO", "KVM_EXIT_MMIO");
    constant(page, "EXIT_IRQ_WINDOW_OPEN", "KVM_EXIT_IRQ_WINDOW_OPEN");
    constant(page, "EXIT_SHUTDOWN", "KVM_EXIT_SHUTDOWN");
    constant(page, "EXIT_FAIL_ENTRY", "KVM_EXIT_FAIL_ENTRY");
    constant(page, "EXIT_INTR", "KVM_EXIT_INTR");
    constant(page, "EXIT_INTERNAL_ERROR", "KVM_EXIT_INTERNAL_ERROR");
    constant(page, "EXIT_IOAPIC_EOI", "KVM_EXIT_IOAPIC_EOI");
    constant(page, "EXIT_RDMSR", "KVM_EXIT_X86_RDMSR");
    constant(page, "EXIT_WRMSR", "KVM_EXIT_X86_WRMSR");
    String run = "struct kvm_run";
    offset(page, "REQUEST_INTERRUPT_WINDOW", run, "request_interrupt_window");
    offset(page, "IMMEDIATE_EXIT", run, "immediate_exit");
    offset(page, "EXIT_REASON", run, "exit_reason");
    offset(page, "READY_FOR_INTERRUPT", run, "ready_for_interrupt_injection");
    offset(page, "UNION", run, "io");
  }

  private void events() throws ReflectiveOperationException {
    Class<?> type = VcpuEvents.class;
    String events = "struct kvm_vcpu_events";
    constant(type, "BYTES", "sizeof(" + events + ")");
    offset(type, "EXCEPTION_INJECTED", events, "exception.injected");
    offset(type, "EXCEPTION_VECTOR", events, "exception.nr");
    offset(type, "EXCEPTION_HAS_CODE", events, "exception.has_error_code");
    offset(type, "EXCEPTION_PENDING", events, "exception.pending");
    offset(type, "EXCEPTION_CODE", events, "exception.error_code");
    offset(type, "INTERRUPT_INJECTED", events, "interrupt.injected");
    offset(type, "INTERRUPT_VECTOR", events, "interrupt.nr");
    offset(type, "INTERRUPT_SOFT", events, "interrupt.soft");
    offset(type, "INTERRUPT_SHADOW", events, "interrupt.shadow");
    offset(type, "NMI_INJECTED", events, "nmi.injected");
    offset(type, "NMI_PENDING", events, "nmi.pending");
    offset(type, "NMI_MASKED", events, "nmi.masked");
    offset(type, "FLAGS", events, "flags");
    offset(type, "SMM", events, "smi.smm");
    offset(type, "HAS_PAYLOAD", events, "exception_has_payload");
    offset(type, "PAYLOAD", events, "exception_payload");
    constant(type, "VALID_NMI_PENDING", "KVM_VCPUEVENT_VALID_NMI_PENDING");
    constant(type, "VALID_SHADOW", "KVM_VCPUEVENT_VALID_SHADOW");
    constant(type, "VALID_SMM", "KVM_VCPUEVENT_VALID_SMM");
    constant(type, "VALID_PAYLOAD", "KVM_VCPUEVENT_VALID_PAYLOAD");
    constant(type, "SHADOW_MOV_SS", "KVM_X86_SHADOW_INT_MOV_SS");
    constant(type, "SHADOW_STI", "KVM_X86_SHADOW_INT_STI");
  }

  private void registers() throws ReflectiveOperationException {
    Class<?> type = ArchitecturalState.class;
    String regs = "struct kvm_regs";
    constant(type, "REGS_BYTES", "sizeof(" + regs + ")");
    offset(type, "REGS_RIP", regs, "rip");
    offset(type, "REGS_RFLAGS", regs, "rflags");
    Field places = type.getDeclaredField("REGS_GPR");
    places.setAccessible(true);
    String[] names = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
    for (int i = 0; i < names.length; i++) {
      written.put(
          "offsetof(%s, %s)".formatted(regs, names[i]), (long) ((int[]) places.get(null))[i]);
    }
    String sregs = "struct kvm_sregs";
    constant(type, "SREGS_BYTES", "sizeof(" + sregs + ")");
    for (String name :
        "CS DS ES FS GS SS TR LDT GDT IDT CR0 CR2 CR3 CR4 CR8 EFER APIC_BASE".split(" ")) {
      offset(type, "SREGS_" + name, sregs, name.toLowerCase(Locale.ROOT));
    }
    for (String name : "LIMIT SELECTOR TYPE PRESENT DPL DB S L G AVL UNUSABLE".split(" ")) {
      offset(type, "SEGMENT_" + name, "struct kvm_segment", name.toLowerCase(Locale.ROOT));
    }
    offset(type, "TABLE_LIMIT", "struct kvm_dtable", "limit");
    constant(type, "XSAVE_BYTES", "sizeof(struct kvm_xsave)");
    constant(type, "XCRS_BYTES", "sizeof(struct kvm_xcrs)");
    constant(type, "DEBUGREGS_BYTES", "sizeof(struct kvm_debugregs)");
    constant(type, "MP_RUNNABLE", "KVM_MP_STATE_RUNNABLE");
    constant(type, "MP_UNINITIALIZED", "KVM_MP_STATE_UNINITIALIZED");
    constant(type, "MP_INIT_RECEIVED", "KVM_MP_STATE_INIT_RECEIVED");
    constant(type, "MP_HALTED", "KVM_MP_STATE_HALTED");
    constant(LapicImage.class, "BYTES", "sizeof(struct kvm_lapic_state)");
  }

  private void others() throws ReflectiveOperationException {
    Class<?> debug = KvmDebug.class;
    constant(debug, "BYTES", "sizeof(struct kvm_guest_debug)");
    offset(debug, "DEBUG_REGISTERS", "struct kvm_guest_debug", "arch.debugreg");
    constant(debug, "ENABLE", "KVM_GUESTDBG_ENABLE");
    constant(debug, "SINGLE_STEP", "KVM_GUESTDBG_SINGLESTEP");
    constant(debug, "USE_HARDWARE", "KVM_GUESTDBG_USE_HW_BP");
    constant(debug, "USE_SOFTWARE", "KVM_GUESTDBG_USE_SW_BP");
    constant(debug, "INJECT_BP", "KVM_GUESTDBG_INJECT_BP");
    constant(debug, "TRANSLATION_BYTES", "sizeof(struct kvm_translation)");
    offset(debug, "TRANSLATION_PHYSICAL", "struct kvm_translation", "physical_address");
    offset(debug, "TRANSLATION_VALID", "struct kvm_translation", "valid");
    Class<?> msrs = GuestMsrs.class;
    constant(msrs, "FILTER_BYTES", "sizeof(struct kvm_msr_filter)");
    offset(msrs, "FILTER_RANGES", "struct kvm_msr_filter", "ranges");
    constant(msrs, "RANGE_BYTES", "sizeof(struct kvm_msr_filter_range)");
    constant(msrs, "DENY_OTHERS", "KVM_MSR_FILTER_DEFAULT_DENY");
    constant(msrs, "READ_AND_WRITE", "(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)");
    constant(MsrAccess.class, "HEADER_BYTES", "sizeof(struct kvm_msrs)");
    constant(MsrAccess.class, "ENTRY_BYTES", "sizeof(struct kvm_msr_entry)");
    constant(KvmDevice.class, "CPUID_HEADER_BYTES", "sizeof(struct kvm_cpuid2)");
    constant(KvmDevice.class, "CPUID_ENTRY_BYTES", "sizeof(struct kvm_cpuid_entry2)");
    constant(KvmDevice.class, "SIGNIFICANT_INDEX", "KVM_CPUID_FLAG_SIGNIFCANT_INDEX");
    constant(MemorySlots.class, "LOG_DIRTY_PAGES", "KVM_MEM_LOG_DIRTY_PAGES");
    constant(MemorySlots.class, "READ_ONLY", "KVM_MEM_READONLY");
    constant(KvmMachine.class, "MSR_EXIT_FILTERED", "KVM_MSR_EXIT_REASON_FILTER");
    constant(KvmMachine.class, "X2APIC_32_BIT_IDS", "KVM_X2APIC_API_USE_32BIT_IDS");
    constant(
        KvmMachine.class, "X2APIC_NO_BROADCAST_QUIRK", "KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK");
    offset(KickSignal.class, "MASK_SIGSET", "struct kvm_signal_mask", "sigset");
    constant(KickSignal.class, "SIGACTION_BYTES", "sizeof(struct sigaction)");
    offset(KickSignal.class, "SIGACTION_FLAGS", "struct sigaction", "sa_flags");
    constant(KickSignal.class, "SIGSET_BYTES", "sizeof(sigset_t)");
    constant(KickSignal.class, "SA_RESTART", "SA_RESTART");
    constant(KickSignal.class, "SA_ONSTACK", "SA_ONSTACK");
    constant(KickSignal.class, "SIG_UNBLOCK", "SIG_UNBLOCK");
    constant(KickSignal.class, "NUMBER", "SIGRTMIN + 7");
  }

  private void routesAndDescriptors() throws ReflectiveOperationException {
    Class<?> routes = InterruptRoutes.class;
    constant(routes, "HEADER_BYTES", "sizeof(struct kvm_irq_routing)");
    constant(routes, "ENTRY_BYTES", "sizeof(struct kvm_irq_routing_entry)");
    offset(routes, "ENTRY_TYPE", "struct kvm_irq_routing_entry", "type");
    offset(routes, "ENTRY_UNION", "struct kvm_irq_routing_entry", "u.msi.address_lo");
    constant(routes, "TYPE_MSI", "KVM_IRQ_ROUTING_MSI");
    Class<?> signals = KvmSignals.class;
    constant(signals, "IRQFD_BYTES", "sizeof(struct kvm_irqfd)");
    offset(signals, "IRQFD_GSI", "struct kvm_irqfd", "gsi");
    offset(signals, "IRQFD_FLAGS", "struct kvm_irqfd", "flags");
    constant(signals, "FLAG_DEASSIGN", "KVM_IRQFD_FLAG_DEASSIGN");
    Class<?> doorbells = KvmDoorbells.class;
    constant(doorbells, "IOEVENTFD_BYTES", "sizeof(struct kvm_ioeventfd)");
    offset(doorbells, "ADDRESS", "struct kvm_ioeventfd", "addr");
    offset(doorbells, "LENGTH", "struct kvm_ioeventfd", "len");
    offset(doorbells, "FD", "struct kvm_ioeventfd", "fd");
    offset(doorbells, "FLAGS", "struct kvm_ioeventfd", "flags");
    constant(doorbells, "FLAG_DATAMATCH", "KVM_IOEVENTFD_FLAG_DATAMATCH");
    constant(doorbells, "FLAG_PIO", "KVM_IOEVENTFD_FLAG_PIO");
    constant(doorbells, "FLAG_DEASSIGN", "KVM_IOEVENTFD_FLAG_DEASSIGN");
    constant(Libc.class, "EPOLL_EVENT_BYTES", "sizeof(struct epoll_event)");
    offset(Libc.class, "EPOLL_EVENT_DATA", "struct epoll_event", "data");
    for (String name : new String[] {"EPOLL_CLOEXEC", "EPOLL_CTL_ADD", "EPOLLIN"}) {
      constant(Libc.class, name, name);
    }
    for (String name : new String[] {"EFD_CLOEXEC", "EFD_NONBLOCK", "EINTR", "EAGAIN"}) {
      constant(Libc.class, name, name);
    }
    for (String name : new String[] {"EINVAL", "ENOSPC", "O_RDWR", "O_CLOEXEC", "MAP_SHARED"}) {
      constant(Libc.class, name, name);
    }
  }

  private void offset(Class<?> type, String name, String struct, String member)
      throws ReflectiveOperationException {
    constant(type, name, "offsetof(%s, %s)".formatted(struct, member));
  }

  private void constant(Class<?> type, String name, String expression)
      throws ReflectiveOperationException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    written.put(expression, (long) field.getInt(null));
  }

  /** The same expressions as a C compiler has them. */
  private Map<String, Long> compiled() throws IOException, InterruptedException {
    StringBuilder source =
        new StringBuilder(
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <fcntl.h>
            #include <linux/kvm.h>
            #include <signal.h>
            #include <stddef.h>
            #include <stdio.h>
            #include <sys/epoll.h>
            #include <sys/eventfd.h>
            #include <sys/ioctl.h>
            #include <sys/mman.h>
            int main(void) {
            """);
    for (String expression : written.keySet()) {
      // Of a constant that is newer than the header there is nothing to compare.
      boolean macro = expression.startsWith("KVM_CAP_") || expression.startsWith("KVM_X86_SET");
      source
          .append(macro ? "#ifdef " + expression + "\n" : "")
          .append(
              "printf(\"%%s=%%llu\\n\", \"%s\", (unsigned long long) (%s));\n"
                  .formatted(expression, expression))
          .append(macro ? "#endif\n" : "");
    }
    source.append("return 0; }\n");
    Path program = directory.resolve("constants");
    Files.writeString(directory.resolve("constants.c"), source);
    skipUnless(Files.exists(HEADER), HEADER + " is not there");
    String complaints;
    try {
      complaints = output("gcc", "-o", program.toString(), program + ".c");
    } catch (IOException e) {
      skipUnless(false, "no gcc: " + e.getMessage());
      throw e;
    }
    assertThat(complaints).isEmpty();
    Map<String, Long> values = new LinkedHashMap<>();
    output(program.toString())
        .lines()
        .forEach(line -> {
          int end = line.lastIndexOf('=');
          values.put(line.substring(0, end), Long.parseLong(line.substring(end + 1)));
        });
    written.keySet().stream()
        .filter(name -> !values.containsKey(name))
        .toList()
        .forEach(name -> {
          System.out.println("SKIPPED: " + name + " is newer than " + HEADER);
          written.remove(name);
        });
    return values;
  }

  private static void skipUnless(boolean possible, String why) {
    if (!possible) {
      System.out.println("SKIPPED: " + why);
    }
    Assumptions.assumeTrue(possible, why);
  }

  private static String output(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    return text;
  }
}
