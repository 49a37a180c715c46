package io.vmm4j.engine.software.machinecode.verify;

import static io.vmm4j.engine.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.engine.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.engine.software.machinecode.verify.Convention.BUDGET;
import static io.vmm4j.engine.software.machinecode.verify.Convention.INDEX;

import io.vmm4j.engine.software.machinecode.verify.HostForm.Operation;
import java.util.ArrayList;
import java.util.List;

/** Mistakes that an emitter could make, to be planted in code that has none. */
final class Mistakes {
  private static final int PAGE_SLOT_MASK = 0x3FF;

  /**
   * A mistake.
   *
   * @param name what is wrong
   * @param reason a pattern of the reason it is refused for
   * @param place whether an instruction is where it can be planted
   * @param change plants it
   */
  record Mistake(String name, String reason, Place place, Change change) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Whether an instruction is like something. */
  interface Place {
    boolean is(Edit code, int index);

    default Place then(Place next) {
      return (code, i) -> is(code, i) && i + 1 < code.size() && next.is(code, i + 1);
    }

    default Place thenSecond(Place second) {
      return (code, i) -> is(code, i) && i + 2 < code.size() && second.is(code, i + 2);
    }

    default Place and(Place other) {
      return (code, i) -> is(code, i) && other.is(code, i);
    }

    default Place behind(Place before) {
      return (code, i) -> is(code, i) && i > 0 && before.is(code, i - 1);
    }
  }

  /** Changes the code at an instruction. */
  interface Change {
    void apply(Edit code, int index);
  }

  private static final String NOT_ITS_ENTRY =
      "not that of the address|no tag of a table|value of the host";
  private static final String NO_TABLE_OF_MODE = "of a table of this mode|not that of the address";
  private static final String UNCHECKED = "did not come out of a check";
  private static final String NO_OFFSET = "not an offset into|no page of a table";
  private static final String NOT_PAID = "not paid|paths meet";
  private static final String FAULT = "could fault";
  private static final String OTHER = "";
  private static final String NOT_THERE = "no instruction that may occur|no form";
  private static final String NO_CODE = "not (the offset|the address|the page) of (the )?code";

  private final CodeContract contract;
  private final List<Mistake> all = new ArrayList<>();

  private Mistakes(CodeContract contract) {
    this.contract = contract;
  }

  /** All of them. */
  static List<Mistake> of(CodeContract contract) {
    Mistakes m = new Mistakes(contract);
    m.dataChecks();
    m.bytes();
    m.accesses();
    m.strings();
    m.bits();
    m.systemState();
    m.divisions();
    m.budget();
    m.exits();
    m.jumpTargets();
    m.insertions();
    return m.all;
  }

  private void add(String name, String reason, Place place, Change change) {
    all.add(new Mistake(name, reason, place, change));
  }

  private void missing(String name, String reason, Place place) {
    add("missing: " + name, reason, place, Edit::remove);
  }

  // ---- places ----

  private static Place operation(Operation operation) {
    return (code, i) -> code.at(i).form.operation() == operation;
  }

  private static Place jump(int condition) {
    return (code, i) ->
        code.at(i).form.operation() == Operation.JCC && code.at(i).condition == condition;
  }

  /** An operation of a register with a constant. */
  private static Place constant(Operation operation, int register) {
    return (code, i) ->
        code.at(i).form.operation() == operation
            && code.at(i).rmIs(register)
            && code.at(i).form.immediate() != null;
  }

  private static Place registers(Operation operation, int reg, int rm) {
    return (code, i) ->
        code.at(i).form.operation() == operation && code.at(i).regIs(reg) && code.at(i).rmIs(rm);
  }

  private static Place table(Operation operation) {
    return (code, i) -> code.at(i).form.operation() == operation && code.at(i).isAt(BASE, INDEX);
  }

  /** The same, of an element of an entry in tables of data or code pages. */
  private Place element(Operation operation, boolean data, int element) {
    return (code, i) -> {
      int at = code.at(i).displacement;
      boolean ofData = at < contract.modes().getFirst().pages();
      int bytes = data ? contract.data().entryBytes() : contract.pages().entryBytes();
      return table(operation).is(code, i) && ofData == data && (at & bytes - 1) == element;
    };
  }

  private Place hostPage() {
    return element(Operation.ADD, true, contract.hostPage());
  }

  private Place anyTag() {
    return (code, i) -> table(Operation.SUB).is(code, i);
  }

  private static Place access(boolean stores, int leastBytes) {
    return (code, i) -> {
      HostInstruction in = code.at(i);
      return in.isAt(ADDRESS)
          && in.form.rm() != null
          && in.form.rm().writes() == stores
          && in.bytes(in.form.rm().memorySize()) >= leastBytes;
    };
  }

  // ---- mistakes ----

  private void dataChecks() {
    Place tag = anyTag();
    Place bound = constant(Operation.CMP, ADDRESS);
    Place above = jump(7);
    missing(
        "the copy of the address",
        NOT_ITS_ENTRY,
        registers(Operation.MOV, INDEX, ADDRESS).then(constant(Operation.SHR, INDEX)));
    missing(
        "the shift of the index",
        NO_TABLE_OF_MODE,
        constant(Operation.SHR, INDEX).then(constant(Operation.AND, INDEX)));
    missing("the mask of the index", NO_TABLE_OF_MODE, constant(Operation.AND, INDEX).then(tag));
    missing("the tag", NO_OFFSET, element(Operation.SUB, true, contract.readTag()).then(bound));
    missing("the bound", NO_OFFSET, bound.then(above));
    missing("the jump of the bound", NO_OFFSET, above.then(hostPage()));
    missing("the page", UNCHECKED, hostPage());
    add(
        "the index of another shift",
        NO_TABLE_OF_MODE,
        constant(Operation.SHR, INDEX).then(constant(Operation.AND, INDEX)),
        (code, i) -> code.put(i, code.at(i).length - 1, (int) code.at(i).immediate - 1));
    add(
        "an index with a bit more",
        NO_TABLE_OF_MODE,
        constant(Operation.AND, INDEX).then(tag),
        (code, i) -> code.add(i, 4, 0x10000));
    add(
        "an index within an entry",
        NO_TABLE_OF_MODE,
        constant(Operation.AND, INDEX).then(tag),
        (code, i) -> code.add(i, 4, 8));
    add(
        "a tag that is none",
        NO_TABLE_OF_MODE,
        element(Operation.SUB, true, contract.readTag()).then(bound),
        (code, i) -> code.add(i, 4, contract.hostPage()));
    add(
        "a tag of another privilege",
        NO_TABLE_OF_MODE,
        element(Operation.SUB, true, contract.writeTag()).then(bound),
        (code, i) -> code.add(i, 4, contract.data().entries() * contract.data().entryBytes()));
    add(
        "a page of another privilege",
        NO_TABLE_OF_MODE,
        hostPage(),
        (code, i) -> code.add(i, 4, contract.data().entries() * contract.data().entryBytes()));
    add(
        "a store by the tag for loads",
        "checked for loads",
        element(Operation.SUB, true, contract.writeTag()).then(bound),
        (code, i) -> code.add(i, 4, contract.readTag() - contract.writeTag()));
    add(
        "a bound for less",
        "longer|not an offset into",
        bound.then(above),
        (code, i) -> code.add(i, 4, 1));
    add("no bound", NO_OFFSET, bound.then(above), (code, i) -> code.add(i, 4, 0x1000));
    add(
        "a bound of 32 bits",
        NO_OFFSET,
        bound.then(above),
        (code, i) -> code.replace(i, "4181ff00000000").add(i, 4, (int) code.at(i).immediate));
    add("a bound with signs", NO_OFFSET, above.then(hostPage()), (code, i) -> code.put(i, 1, 0x8F));
    add(
        "a bound the wrong way",
        NO_OFFSET,
        above.then(hostPage()),
        (code, i) -> code.put(i, 1, 0x86));
  }

  /** REX.W does not make 8 bytes of a byte. */
  private void bytes() {
    Place bound = constant(Operation.CMP, ADDRESS).then(jump(7));
    add("a tag of a byte", OTHER, anyTag(), (code, i) -> code.put(i, 1, 0x2A));
    add("a page of a byte", OTHER, hostPage(), (code, i) -> code.put(i, 1, 0x02));
    add("a bound of a byte", NO_OFFSET, bound, (code, i) -> code.replace(i, "4980ff78"));
    add(
        "a look at a byte of what was found",
        OTHER,
        registers(Operation.TEST, ADDRESS, ADDRESS)
            .then(jump(4))
            .behind((code, i) -> code.at(i).isAt(ADDRESS)),
        (code, i) -> code.replace(i, "4d84ff"));
    add(
        "a comparison of bytes before DIV",
        FAULT,
        operation(Operation.CMP).then(jump(3)).thenSecond(operation(Operation.DIV)),
        (code, i) -> code.replace(i, "493ad3"));
    add(
        "a comparison of bytes before IDIV",
        FAULT,
        constant(Operation.CMP, ADDRESS).then(jump(6)),
        (code, i) -> code.replace(i, "4980ff01"));
  }

  private void strings() {
    Place repeats =
        (code, i) ->
            code.at(i).form.operation() == Operation.MOVS
                || code.at(i).form.operation() == Operation.STOS;
    Place count = constant(Operation.CMP, Convention.RCX).then(jump(7));
    Place end =
        (code, i) ->
            operation(Operation.LEA).is(code, i)
                && code.at(i).base == ADDRESS
                && code.at(i).index == Convention.RCX;
    Place endPage = element(Operation.SUB, true, contract.hostPage());
    missing("the bound of the count", "RCX may be", count);
    missing(
        "the jump of the count",
        "RCX may be",
        jump(7).behind(constant(Operation.CMP, Convention.RCX)));
    add(
        "a bound of half the count's register",
        "RCX may be",
        count,
        (code, i) -> code.put(i, 0, 0x40));
    add(
        "a count of twice as many",
        "RCX may be",
        count,
        (code, i) -> code.add(i, 4, (int) code.at(i).immediate));
    missing("the end", OTHER, end.then(endPage));
    missing("the end's page", OTHER, endPage);
    missing("the end's bound", "RCX elements", constant(Operation.CMP, ADDRESS).behind(endPage));
    missing(
        "the end's jump",
        "RCX elements",
        (code, i) -> jump(7).is(code, i) && i > 1 && endPage.is(code, i - 2));
    add(
        "an end behind the page",
        "RCX elements",
        constant(Operation.CMP, ADDRESS).behind(endPage),
        (code, i) -> code.add(i, 4, 1));
    add(
        "elements that are larger",
        "RCX elements",
        repeats,
        (code, i) ->
            code.replace(
                i,
                (code.at(i).wide ? "f366" : "f348")
                    + (code.at(i).form.operation() == Operation.MOVS ? "a5" : "ab")));
    add("downwards", NOT_THERE, repeats, (code, i) -> code.insertBehind(i - 1, "fd"));
    add("strings without a count", NOT_THERE, repeats, (code, i) -> code.replace(i, "a4"));
    add("while not equal", NOT_THERE, repeats, (code, i) -> code.replace(i, "f2a4"));
    add(
        "a count changed behind its check",
        "RCX elements",
        repeats,
        (code, i) -> code.insertBehind(i - 1, "48ffc1"));
    add(
        "a destination moved behind its check",
        "value of the host",
        repeats,
        (code, i) -> code.insertBehind(i - 1, "48ffc7"));
    add(
        "a destination that is the guest's",
        "RCX elements|value of the host",
        repeats,
        (code, i) -> code.insertBehind(i - 1, "488bf8"));
    add(
        "a host address that stays in RDI",
        "RSI or RDI|value of the host",
        (code, i) ->
            operation(Operation.SUB).is(code, i)
                && code.at(i).regIs(Convention.RDI)
                && code.at(i).rmIs(ADDRESS)
                && i > 0
                && repeats.is(code, i - 1),
        Edit::remove);
  }

  private void bits() {
    Place access =
        (code, i) ->
            code.at(i).isAt(ADDRESS)
                && code.at(i).form.reg() != null
                && code.at(i).form.name().startsWith("BT");
    missing(
        "the mask of a bit's number", "bit may lie", constant(Operation.AND, INDEX).then(access));
    add(
        "a mask with a bit more",
        "bit may lie",
        constant(Operation.AND, INDEX).then(access),
        (code, i) -> code.put(i, code.at(i).length - 1, 0x7F));
    add(
        "a bit of a guest's number",
        "bit may lie",
        access,
        (code, i) -> code.replace(i, "490fa307"));
  }

  private void systemState() {
    Place flags =
        (code, i) ->
            code.at(i).isAt(BASE)
                && code.at(i).displacement == contract.systemFlags()
                && code.at(i).form.rm() != null
                && code.at(i).form.rm().writes();
    add("IOPL changed", "bit of RFLAGS", flags, (code, i) -> code.replace(i, "41814d5800300000"));
    add("RFLAGS stored", "other than a bit", flags, (code, i) -> code.replace(i, "41894558"));
    add(
        "RFLAGS inverted",
        "other than a bit",
        flags,
        (code, i) -> code.replace(i, "4181755800020000"));
    add(
        "AC set and on in the same mode",
        "another mode|paths meet",
        flags,
        (code, i) -> code.insertBehind(i, "41814d5800000400"));
    add(
        "IF changed by user code",
        "bit of RFLAGS",
        user(jump(8)),
        (code, i) -> code.insertBehind(i, "41816558fffdffff"));
    add(
        "the base of GS changed by user code",
        "may not access",
        user(jump(8)),
        (code, i) -> code.insertBehind(i, "49894528"));
    add(
        "the kernel's base of GS read by user code",
        "may not access",
        user(jump(8)),
        (code, i) -> code.insertBehind(i, "498b4560"));
  }

  /** A place in code for the guest's user mode. */
  private Place user(Place place) {
    return (code, i) -> !contract.modes().get(code.mode()).supervisor() && place.is(code, i);
  }

  private void accesses() {
    Place behindCheck = hostPage();
    String[][] changes = {
      {"R15 counted up", "49ffc7"},
      {"R15 with an addition", "4983c708"},
      {"R15 with a register added", "4901c7"},
      {"R15 cut to 32 bits", "458bff"},
      {"R15's low byte", "41b700"},
      {"R15 exchanged", "4c87f8"},
      {"R15 if a condition holds", "4c0f44f8"},
    };
    for (String[] change : changes) {
      add(
          "changed behind the check: " + change[0],
          UNCHECKED + "|value of the host",
          behindCheck.then(access(true, 1)),
          (code, i) -> code.insertBehind(i, change[1]));
    }
    add(
        "the index changed within the check",
        NO_OFFSET,
        jump(7).then(hostPage()),
        (code, i) -> code.insertBehind(i, "4533db"));
    add(
        "the address changed within the check",
        NO_OFFSET,
        jump(7).then(hostPage()),
        (code, i) -> code.insertBehind(i, "49ffc7"));
    add(
        "the index of another address",
        NOT_ITS_ENTRY,
        registers(Operation.MOV, INDEX, ADDRESS).then(constant(Operation.SHR, INDEX)),
        (code, i) -> code.insertBehind(i, "49ffc7"));
    missing("the test of alignment", "misaligned", constant(Operation.TEST, ADDRESS).then(jump(5)));
    missing(
        "the jump of alignment", "misaligned", jump(5).behind(constant(Operation.TEST, ADDRESS)));
    add(
        "a test of half the alignment",
        "misaligned",
        constant(Operation.TEST, ADDRESS).then(jump(5)),
        (code, i) -> code.put(i, 3, (int) code.at(i).immediate >> 1));
    add(
        "the wrong way on of alignment",
        "misaligned",
        jump(5).behind(constant(Operation.TEST, ADDRESS)),
        (code, i) -> code.put(i, 1, 0x84));
    add(
        "an access behind what was checked",
        "longer",
        access(true, 8),
        (code, i) -> code.replace(i, "49894701"));
    add(
        "an access before what was checked",
        "longer",
        access(true, 8),
        (code, i) -> code.replace(i, "498947ff"));
    add(
        "an access of 16 bytes",
        "longer|loads",
        access(false, 8),
        (code, i) -> code.replace(i, "410f1007"));
    add(
        "an access with an index",
        UNCHECKED,
        access(true, 8),
        (code, i) -> code.replace(i, "49890407"));
    add(
        "an aligned access without a test",
        "misaligned",
        access(true, 16).and((code, i) -> code.at(i).form.name().equals("MOVUPS")),
        (code, i) -> code.replace(i, "410f2907"));
    add(
        "an atomic access without a test",
        "misaligned",
        access(true, 8),
        (code, i) -> code.replace(i, "f0490107"));
    add(
        "a bit of memory by a register",
        "bit may lie",
        access(true, 8),
        (code, i) -> code.replace(i, "490fab07"));
    add(
        "a store where a load was checked",
        "checked for loads",
        access(false, 8),
        (code, i) -> code.replace(i, "498907"));
  }

  private void divisions() {
    Place unsigned = operation(Operation.DIV);
    Place signed = operation(Operation.IDIV);
    missing(
        "the comparison of DIV",
        FAULT,
        operation(Operation.CMP).then(jump(3)).thenSecond(unsigned));
    missing("the jump of DIV", FAULT, jump(3).then(unsigned));
    add("DIV the wrong way on", FAULT, jump(3).then(unsigned), (code, i) -> code.put(i, 1, 0x82));
    add(
        "DIV by another register",
        "in R11",
        unsigned,
        (code, i) -> code.replace(i, code.at(i).wide ? "48f7f1" : "f7f1"));
    add(
        "DIV of another size",
        FAULT,
        unsigned,
        (code, i) -> code.replace(i, code.at(i).wide ? "41f7f3" : "49f7f3"));
    add("IDIV for DIV", FAULT, unsigned, (code, i) -> code.put(i, 2, 0xFB));
    missing("the jump of IDIV", FAULT, jump(6).then(signed));
    missing("the comparison of IDIV", FAULT, constant(Operation.CMP, ADDRESS).then(jump(6)));
    missing(
        "the divisor of IDIV",
        FAULT,
        operation(Operation.LEA).then(constant(Operation.CMP, ADDRESS)).thenSecond(jump(6)));
    missing("the sign of IDIV", FAULT, constant(Operation.SAR, ADDRESS));
    missing("the dividend's comparison of IDIV", FAULT, registers(Operation.CMP, ADDRESS, 2));
    missing(
        "the dividend's jump of IDIV", FAULT, jump(5).behind(registers(Operation.CMP, ADDRESS, 2)));
    add(
        "a dividend changed behind its check",
        FAULT,
        jump(6).then(signed),
        (code, i) -> code.insertBehind(i, "48ffc2"));
    add(
        "a divisor changed behind its check",
        FAULT,
        jump(3).then(unsigned),
        (code, i) -> code.insertBehind(i, "49ffc3"));
  }

  private void budget() {
    Place taken = constant(Operation.SUB, BUDGET);
    missing("the budget", NOT_PAID, taken);
    missing("the look at the budget", NOT_PAID + "|as the reason|may be put", jump(8));
    missing("the budget that is given back", "as the reason", constant(Operation.ADD, BUDGET));
    add(
        "too little of the budget",
        "another budget",
        taken,
        (code, i) -> code.put(i, code.at(i).length - 1, (int) code.at(i).immediate - 1));
    add(
        "too much given back",
        "another budget",
        constant(Operation.ADD, BUDGET),
        (code, i) -> code.put(i, code.at(i).length - 1, (int) code.at(i).immediate + 1));
    add(
        "the budget given back for nothing",
        "without need",
        jump(8),
        (code, i) -> code.insertBehind(i, "4183c601"));
    add("the budget taken twice", "twice", jump(8), (code, i) -> code.insertBehind(i, "4183ee01"));
    add(
        "another use of the budget",
        "budget or the stack pointer",
        jump(8),
        (code, i) -> code.insertBehind(i, "41ffc6"));
    add(
        "on where the budget is exhausted",
        NOT_PAID + "|as the reason",
        jump(8),
        (code, i) -> code.put(i, 1, 0x89));
  }

  private void exits() {
    Place exit =
        (code, i) ->
            code.at(i).form.operation() == Operation.MOV
                && code.at(i).isAt(BASE)
                && code.at(i).displacement == contract.exit();
    missing("why code is left", "not said", exit);
    add("an exit of another block", "can't be", exit, (code, i) -> code.add(i, 4, 1 << 9));
    add(
        "an exit of another instruction",
        "can't be|the reason",
        exit,
        (code, i) -> code.add(i, 4, 63 << 3));
    add(
        "an exit for no reason",
        "can't be",
        exit,
        (code, i) -> code.put(i, code.at(i).length - 4, (int) code.at(i).immediate | 7));
    missing("the last jump", "behind its end", (code, i) -> i == code.size() - 1);
  }

  private void jumpTargets() {
    Place look = registers(Operation.TEST, ADDRESS, ADDRESS);
    missing("the entry's shift", NO_TABLE_OF_MODE, constant(Operation.SHL, INDEX).then(anyTag()));
    missing("the slot's shift", "not an offset into the table", constant(Operation.SHL, ADDRESS));
    missing("the look at what was found", NO_CODE, look.then(jump(4)));
    missing("the jump where none was found", NO_CODE, jump(4).behind(look));
    missing(
        "the page of code",
        "not an offset into the table",
        element(Operation.SUB, false, contract.pageTag()));
    missing("the table of code", UNCHECKED, element(Operation.ADD, false, contract.pageTable()));
    missing("the page's PUSH", "not a pair|popped", operation(Operation.PUSH));
    missing("the page's POP", "not a pair", operation(Operation.POP));
    missing("the base of code", "not the address of code", codeBase());
    add(
        "the page to another place",
        "another place",
        operation(Operation.POP),
        (code, i) -> code.put(i, code.at(i).length - 1, 0x40));
    add(
        "a jump to another register",
        "not the address of code",
        indirect(),
        (code, i) -> code.replace(i, "ffe0"));
    add(
        "a jump to memory",
        "not the address of code",
        indirect(),
        (code, i) -> code.replace(i, "41ff6530"));
    add(
        "a mask of another table",
        NO_TABLE_OF_MODE,
        (code, i) ->
            constant(Operation.AND, INDEX).is(code, i) && code.at(i).immediate == PAGE_SLOT_MASK,
        (code, i) -> code.add(i, 4, 0x400));
  }

  private static Place indirect() {
    return (code, i) ->
        code.at(i).form.operation() == Operation.JMP && code.at(i).form.immediate() == null;
  }

  private Place codeBase() {
    return (code, i) ->
        code.at(i).form.operation() == Operation.ADD
            && code.at(i).isAt(BASE)
            && code.at(i).displacement == contract.codeBase();
  }

  /** What may be nowhere. */
  private void insertions() {
    String operand = "base, the budget or the stack pointer";
    String none = "no instruction that may occur|no form";
    String[][] instructions = {
      {"a write of R13", operand, "4c8be8"},
      {"R13 counted up", operand, "49ffc5"},
      {"R13's low byte", operand, "41b500"},
      {"a read of R13", operand, "498bc5"},
      {"an address from R13", operand, "498d4510"},
      {"a write of RSP", operand, "488be0"},
      {"RSP moved", operand, "4883ec08"},
      {"RSP moved by LEA", operand, "488d642408"},
      {"a write of R14", operand, "4c8bf0"},
      {"R14 counted up", operand, "49ffc6"},
      {"64 bits of the budget", operand, "4983ee01"},
      {"PUSH of a register", none, "50"},
      {"POP of a register", none, "58"},
      {"PUSHF", none, "9c"},
      {"POPF", none, "9d"},
      {"CALL", none, "e800000000"},
      {"CALL of a register", none, "ffd0"},
      {"RET", none, "c3"},
      {"a far jump", none, "ff6d00"},
      {"INT3", none, "cc"},
      {"INT", none, "cd80"},
      {"SYSCALL", none, "0f05"},
      {"UD2", none, "0f0b"},
      {"HLT", none, "f4"},
      {"CLI", none, "fa"},
      {"STD", none, "fd"},
      {"IN", none, "ec"},
      {"RDMSR", none, "0f32"},
      {"CPUID", none, "0fa2"},
      {"WRFSBASE", none, "f3480faed0"},
      {"XBEGIN", none, "c7f800000000"},
      {"STOS", none, "48ab"},
      {"REP MOVS", "RCX elements", "f3a4"},
      {"XLAT", none, "d7"},
      {"MASKMOVDQU", none, "660ff7c1"},
      {"LDMXCSR", none, "410fae5514"},
      {"an x87 instruction", none, "d9c0"},
      {"a VEX instruction", none, "c5f877"},
      {"an EVEX instruction", none, "62f17c4828c1"},
      {"a segment prefix", none, "64488b00"},
      {"an address-size prefix", none, "678b00"},
      {"a near branch of 16 bits", none, "66e90000"},
      {"a prefix twice", "twice", "6666890100"},
      {"LOCK without memory", "LOCK", "f04801c0"},
      {"memory at a guest register", UNCHECKED, "488b00"},
      {"a store at a guest register", UNCHECKED, "488900"},
      {"memory at RSP", UNCHECKED, "48890424"},
      {"memory below RSP", UNCHECKED, "48894424f8"},
      {"memory relative to RIP", UNCHECKED, "48890500000000"},
      {"an address relative to RIP", "relative to RIP", "488d0500000000"},
      {"memory at an absolute address", UNCHECKED, "4889042500000000"},
      {"memory at R13 and a guest register", UNCHECKED, "4989440500"},
      {"memory at R13 and R11", UNCHECKED, "4b89441d00"},
      {"a store into the first TLB entry", "no field", "49898500040000"},
      {"a store behind the fields", "no field", "4989857f000000"},
      {"a store across two fields", "no field", "49894504"},
      {"16 bytes of a field of 8", "no field", "410f114580"},
      {"a store into RIP of the page", "may not access", "49894508"},
      {"a store into the base of FS", "may not access", "49894520"},
      {"a store into the host's MXCSR", "no field", "41894518"},
      {"a store into the address of code", "no field", "49894550"},
      {"a load of the address of code", "no field", "498b4550"},
      {"a load of the guest's MXCSR", "no field", "418b4514"},
      {"a reason that is computed", "no field", "41894510"},
      {"a reason of 8 bytes", "word of 4", "49c7451000000000"},
      {"DIV", "in R11|fault", "48f7f1"},
      {"DIV by memory", "in R11|fault", "49f737"},
    };
    for (String[] in : instructions) {
      add("behind the budget: " + in[0], in[1], jump(8), (code, i) -> code.insertBehind(i, in[2]));
    }
    add(
        "a host address for the guest",
        "value of the host",
        hostPage(),
        (code, i) -> code.insertBehind(i, "498bc7"));
    add(
        "a host address in the target",
        "value of the host",
        hostPage(),
        (code, i) -> code.insertBehind(i, "4d897d40"));
    add(
        "a host address by LEA",
        "value of the host",
        hostPage(),
        (code, i) -> code.insertBehind(i, "498d4710"));
    add(
        "a host address kept and read",
        "value of the host",
        hostPage(),
        (code, i) -> code.insertBehind(i, "4d897d48498b4548"));
    add(
        "what R15 held before",
        "value of the host",
        jump(8),
        (code, i) -> code.insertBehind(i, "498bc7"));
    add(
        "what R11 held before",
        "value of the host",
        jump(8),
        (code, i) -> code.insertBehind(i, "498bc3"));
    add(
        "what the temporary held before",
        "value of the host",
        jump(8),
        (code, i) -> code.insertBehind(i, "498b4548"));
    add(
        "a change before the budget is looked at",
        NOT_PAID,
        constant(Operation.SUB, BUDGET),
        (code, i) -> code.insertBehind(i, "488bc1"));
    add(
        "a store before the budget is looked at",
        NOT_PAID,
        constant(Operation.SUB, BUDGET),
        (code, i) -> code.insertBehind(i, "49894580"));
    add(
        "a load of a table",
        "out of a check",
        hostPage(),
        (code, i) -> code.insertBehind(i, "4b8b841d00040000"));
    add(
        "a store to a table by its load",
        "out of a check",
        anyTag(),
        (code, i) -> code.put(i, 1, 0x29));
  }
}
