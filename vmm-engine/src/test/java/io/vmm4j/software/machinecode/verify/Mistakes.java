package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.software.machinecode.verify.Convention.INDEX;

import io.vmm4j.software.machinecode.verify.HostForm.Operation;
import java.util.List;
import java.util.stream.Stream;

/** Mistakes that an emitter could make in the checks of addresses, of divisors and of targets. */
final class Mistakes extends MistakeList {
  private static final int PAGE_SLOT_MASK = 0x3FF;

  private Mistakes(CodeContract contract) {
    super(contract);
    dataChecks();
    bytes();
    accesses();
    divisions();
    jumpTargets();
  }

  /** All of them, others than these too. */
  static List<Mistake> of(CodeContract contract) {
    return Stream.of(new Mistakes(contract), new StateMistakes(contract), new VexMistakes(contract))
        .flatMap(list -> list.all().stream())
        .toList();
  }

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
}
