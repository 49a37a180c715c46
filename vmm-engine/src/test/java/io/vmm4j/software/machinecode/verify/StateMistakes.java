package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.software.machinecode.verify.Convention.BUDGET;
import static io.vmm4j.software.machinecode.verify.Convention.INDEX;

import io.vmm4j.software.machinecode.verify.HostForm.Operation;

/**
 * Mistakes that an emitter could make with strings, with what the state block holds, with the
 * budget and exits; and instructions that may be nowhere.
 */
final class StateMistakes extends MistakeList {
  StateMistakes(CodeContract contract) {
    super(contract);
    strings();
    bits();
    systemState();
    budget();
    exits();
    insertions();
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
