package io.vmm4j.software.machinecode.verify;

import io.vmm4j.software.machinecode.verify.CodeContract.Stubs;
import io.vmm4j.software.machinecode.verify.HostForm.Operand;
import io.vmm4j.software.machinecode.verify.HostForm.Operation;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Proves of the way into machine code and the way out that they keep to the calling convention
 * (System V ABI, AMD64 supplement, 3.2): what the caller's registers hold is on the stack when the
 * guest's come, and in them again when it returns; MXCSR too. Both are straight: no jump but the
 * last.
 */
public final class StubVerifier {
  /** RBX, RBP and R12 to R15. */
  private static final int KEPT = 1 << 3 | 1 << 5 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15;

  private static final int RDI = 7;
  private static final int REGISTERS = 16;
  private static final int ALL_VECTORS = (1 << REGISTERS) - 1;
  private static final int GENERAL_BYTES = 8;
  private static final int YMM_BYTES = 32;

  private final CodeContract contract;
  private final HostDecoder decoder = new HostDecoder(HostForms.OF_STUBS);
  private final HostInstruction in = new HostInstruction();

  /** The registers on the stack, the last pushed first. */
  private final Deque<Integer> pushed = new ArrayDeque<>();

  private int vectors;
  private boolean based;
  private boolean budget;
  private boolean hostSaved;
  private boolean guestSaved;
  private boolean mxcsrLoaded;

  /** Makes a verifier. */
  public StubVerifier(CodeContract contract) {
    this.contract = contract;
  }

  /**
   * Verifies the way in and the way out.
   *
   * @throws UnverifiedCodeException if something is not proven
   */
  public void verify(byte[] entry, byte[] exit) {
    pushed.clear();
    based = false;
    begin();
    walk("the way in", entry, this::enter, Operation.JMP);
    begin();
    walk("the way out", exit, this::leave, Operation.RET);
  }

  private void begin() {
    vectors = 0;
    budget = false;
    hostSaved = false;
    guestSaved = false;
    mxcsrLoaded = false;
  }

  private void walk(String name, byte[] code, Runnable step, Operation last) {
    try {
      decoder.begin(code);
      int at = 0;
      boolean ended = false;
      while (at < code.length) {
        String wrong = decoder.decode(at, in);
        if (wrong != null) {
          throw new Refused(wrong);
        }
        step.run();
        at += in.length;
        ended = in.form.operation() == last;
        Refused.require(ended == (at == code.length), "it ends elsewhere");
      }
      Refused.require(ended, "it has no end");
    } catch (Refused refused) {
      int end = Math.min(in.offset + in.length, code.length);
      byte[] bytes = Arrays.copyOfRange(code, Math.min(in.offset, end), end);
      throw new UnverifiedCodeException(name, in.offset, bytes, in.form.name(), refused.reason());
    }
  }

  // ---- the way in ----

  private void enter() {
    Stubs at = contract.stubs();
    switch (in.form.operation()) {
      case PUSH -> {
        Refused.require(!in.memory && !based, "a PUSH that is none of a register of the caller");
        pushed.push(in.low);
      }
      case STMXCSR -> {
        field(at.hostMxcsr());
        hostSaved = true;
      }
      case LDMXCSR -> {
        field(at.guestMxcsr());
        Refused.require(hostSaved, "the host's MXCSR is lost");
        mxcsrLoaded = true;
      }
      case JMP -> {
        field(at.entry());
        Refused.require(based && budget && mxcsrLoaded, "code is entered too early");
        Refused.require(vectors == ALL_VECTORS, "a vector register is not the guest's");
      }
      default -> set();
    }
  }

  /** A register gets what the guest has, or the base. */
  private void set() {
    if (in.form.operation() == Operation.MOV && !in.memory && in.form.immediate() == null) {
      boolean loads = in.form.reg() != null && in.form.reg().writes();
      int to = loads ? in.reg : in.rm;
      int from = loads ? in.rm : in.reg;
      Refused.require(
          to == Convention.BASE && from == RDI && in.wide && !based,
          "a move that is not the base's");
      int kept = pushed.stream().mapToInt(r -> 1 << r).reduce(0, (a, b) -> a | b);
      Refused.require(
          (kept & KEPT) == KEPT && pushed.size() == Integer.bitCount(kept),
          "a register of the caller is lost");
      based = true;
      return;
    }
    Refused.require(based, "the base is not set yet");
    Operand reg = in.form.reg();
    if (in.memory) {
      Refused.require(reg != null && reg.writes() && in.isAt(Convention.BASE), "no load");
      loaded(in.form.rm());
      return;
    }
    // What makes the host's flags of the guest's, in the accumulator.
    boolean accumulator =
        in.form.rm() == null && reg == null || in.rmIs(Convention.RAX) && reg == null;
    Refused.require(
        accumulator && in.form.low() == null, "no register of the guest gets its value here");
  }

  private void loaded(@org.jspecify.annotations.Nullable Operand from) {
    if (from == null) {
      return;
    }
    Stubs at = contract.stubs();
    int size = in.bytes(from.memorySize());
    Operand reg = in.form.reg();
    if (reg != null && reg.vector()) {
      vector();
    } else if (in.regIs(Convention.BUDGET)) {
      Refused.require(size == 4 && in.displacement == at.budget(), "R14 is not the budget");
      budget = true;
    } else {
      boolean free = !in.regIs(Convention.BASE) && !in.regIs(4) && !in.regIs(Convention.ADDRESS);
      Refused.require(free, "a register that the guest's can't be in");
      Refused.require(
          size == 2 && in.displacement == at.flags() || size == 8 && isGeneral(),
          "no register of the guest is there");
    }
  }

  // ---- the way out ----

  private void leave() {
    Stubs at = contract.stubs();
    switch (in.form.operation()) {
      case STMXCSR -> {
        field(at.guestMxcsr());
        guestSaved = true;
      }
      case LDMXCSR -> {
        field(at.hostMxcsr());
        Refused.require(guestSaved, "the guest's MXCSR is lost");
        mxcsrLoaded = true;
      }
      case VZERO ->
          Refused.require(vectors == ALL_VECTORS && !in.vexL, "a vector register is lost");
      case POP -> {
        Refused.require(
            !in.memory && !pushed.isEmpty() && pushed.pop() == in.low,
            "this is not what was pushed");
        based = false;
      }
      case RET -> {
        Refused.require(pushed.isEmpty(), "registers of the caller are left on the stack");
        Refused.require(mxcsrLoaded && budget, "MXCSR or the budget is not where it belongs");
        Refused.require(vectors == ALL_VECTORS, "a vector register is lost");
      }
      default -> store();
    }
  }

  private void store() {
    Operand reg = in.form.reg();
    Operand rm = in.form.rm();
    Refused.require(
        based
            && in.isAt(Convention.BASE)
            && reg != null
            && !reg.writes()
            && rm != null
            && rm.writes()
            && !rm.reads()
            && in.form.writes() == 0,
        "no store");
    int size = in.bytes(rm.memorySize());
    if (reg.vector()) {
      vector();
    } else if (in.regIs(Convention.BUDGET)) {
      Refused.require(
          size == 4 && in.displacement == contract.stubs().budget(), "R14 is not the budget");
      budget = true;
    } else {
      boolean free =
          !in.regIs(Convention.BASE)
              && !in.regIs(4)
              && !in.regIs(Convention.ADDRESS)
              && !in.regIs(Convention.INDEX);
      Refused.require(free && size == 8 && isGeneral(), "no register of the guest");
    }
  }

  // ---- fields ----

  private void field(int offset) {
    Refused.require(
        based && in.isAt(Convention.BASE) && in.displacement == offset, "another field");
  }

  private boolean isGeneral() {
    int from = in.displacement - contract.stubs().general();
    return from >= 0 && from < REGISTERS * GENERAL_BYTES && from % GENERAL_BYTES == 0;
  }

  private void vector() {
    int bytes = contract.stubs().vectorBytes();
    int from = in.displacement - contract.stubs().vectors();
    Operand rm = in.form.rm();
    Refused.require(
        from == bytes * in.reg
            && rm != null
            && rm.memorySize() == 'x'
            && in.bytes('x') == bytes
            && in.vex == (bytes == YMM_BYTES),
        "a vector register is kept elsewhere");
    vectors |= 1 << in.reg;
  }
}
