package io.vmm4j.software.cpu;

/**
 * The rows of the instruction table (Intel SDM volume 2, appendix A), as data: {@link
 * InstructionTable} reads them. Of the rows of an opcode the first that fits counts.
 *
 * <p>A row has an encoding, a {@link Mnemonic}, operands or {@code -}, and attributes.
 *
 * <p>Those with VEX are in {@link VexRows}; their encodings begin with {@code VEX.}.
 *
 * <p>The encoding is the mandatory prefixes it allows ({@code NP.} none, {@code 66.}, {@code F3.},
 * {@code F2.}, {@code NP66.} none or 66; without it, all); the opcode in hexadecimal, or a range of
 * its last byte; {@code /n} the opcode extension, or a range of it; {@code :XX} the whole ModRM
 * byte; {@code m} for memory only, {@code r} for a register only.
 *
 * <p>The operands are those of the manual, destination first: {@link OperandPlace} for their
 * letters, {@link InstructionForm#operandBytes} for their sizes. {@code Z} is the register in the
 * low bits of the opcode.
 *
 * <ul>
 *   <li>{@code byte}: the operand size is 1
 *   <li>{@code stack}: the operand size is 64 bits in 64-bit mode, 16 with 66; uses the stack
 *   <li>{@code sp}: uses the stack
 *   <li>{@code memory}: accesses memory that is none of its operands
 *   <li>{@code noaccess}: does not access its operand in memory
 *   <li>{@code faults}: may fault without access to memory
 *   <li>{@code lock}: LOCK is allowed with the destination in memory
 *   <li>{@code cpl0}: privileged
 *   <li>{@code i64}: the manual says #UD in 64-bit mode
 *   <li>{@code legacy}: not in 64-bit mode, where the opcode is another instruction
 *   <li>{@code long}: in 64-bit mode only
 *   <li>{@code rexb}: with REX.B only
 *   <li>{@code intel}: #UD on AMD's processors
 *   <li>{@code cpuid=}: the feature that it needs; a later row takes its place where that is
 *       missing
 *   <li>{@code flags=}: other flags than its mnemonic's: see {@link MnemonicTable}
 * </ul>
 */
final class InstructionRows {
  static final String ONE_BYTE =
      """
      00             ADD              Eb,Gb      byte lock
      01             ADD              Ev,Gv      lock
      02             ADD              Gb,Eb      byte
      03             ADD              Gv,Ev
      04             ADD              AL,Ib      byte
      05             ADD              rAX,Iz
      06             PUSH_SEGMENT     ES         stack i64
      07             POP_SEGMENT      ES         stack i64
      08             OR               Eb,Gb      byte lock
      09             OR               Ev,Gv      lock
      0A             OR               Gb,Eb      byte
      0B             OR               Gv,Ev
      0C             OR               AL,Ib      byte
      0D             OR               rAX,Iz
      0E             PUSH_SEGMENT     CS         stack i64
      10             ADC              Eb,Gb      byte lock
      11             ADC              Ev,Gv      lock
      12             ADC              Gb,Eb      byte
      13             ADC              Gv,Ev
      14             ADC              AL,Ib      byte
      15             ADC              rAX,Iz
      16             PUSH_SEGMENT     SS         stack i64
      17             POP_SEGMENT      SS         stack i64
      18             SBB              Eb,Gb      byte lock
      19             SBB              Ev,Gv      lock
      1A             SBB              Gb,Eb      byte
      1B             SBB              Gv,Ev
      1C             SBB              AL,Ib      byte
      1D             SBB              rAX,Iz
      1E             PUSH_SEGMENT     DS         stack i64
      1F             POP_SEGMENT      DS         stack i64
      20             AND              Eb,Gb      byte lock
      21             AND              Ev,Gv      lock
      22             AND              Gb,Eb      byte
      23             AND              Gv,Ev
      24             AND              AL,Ib      byte
      25             AND              rAX,Iz
      27             DAA              -          i64
      28             SUB              Eb,Gb      byte lock
      29             SUB              Ev,Gv      lock
      2A             SUB              Gb,Eb      byte
      2B             SUB              Gv,Ev
      2C             SUB              AL,Ib      byte
      2D             SUB              rAX,Iz
      2F             DAS              -          i64
      30             XOR              Eb,Gb      byte lock
      31             XOR              Ev,Gv      lock
      32             XOR              Gb,Eb      byte
      33             XOR              Gv,Ev
      34             XOR              AL,Ib      byte
      35             XOR              rAX,Iz
      37             AAA              -          i64
      38             CMP              Eb,Gb      byte
      39             CMP              Ev,Gv
      3A             CMP              Gb,Eb      byte
      3B             CMP              Gv,Ev
      3C             CMP              AL,Ib      byte
      3D             CMP              rAX,Iz
      3F             AAS              -          i64
      40-47          INC              Zv         legacy
      48-4F          DEC              Zv         legacy
      50-57          PUSH             Zv         stack
      58-5F          POP              Zv         stack
      60             PUSHA            -          sp i64
      61             POPA             -          sp i64
      62m            BOUND            Gv,Ma      legacy
      62r            RESERVED         -          legacy
      63             ARPL             Ew,Gw      legacy
      63             MOVSXD           Gv,Ed      long
      68             PUSH             Iz         stack
      69             IMUL             Gv,Ev,Iz
      6A             PUSH             Ib         stack
      6B             IMUL             Gv,Ev,Ib
      6C             INS              Yb,DX      byte
      6D             INS              Yz,DX
      6E             OUTS             DX,Xb      byte
      6F             OUTS             DX,Xz
      70-7F          JCC              Jb
      80/0           ADD              Eb,Ib      byte lock
      80/1           OR               Eb,Ib      byte lock
      80/2           ADC              Eb,Ib      byte lock
      80/3           SBB              Eb,Ib      byte lock
      80/4           AND              Eb,Ib      byte lock
      80/5           SUB              Eb,Ib      byte lock
      80/6           XOR              Eb,Ib      byte lock
      80/7           CMP              Eb,Ib      byte
      81/0           ADD              Ev,Iz      lock
      81/1           OR               Ev,Iz      lock
      81/2           ADC              Ev,Iz      lock
      81/3           SBB              Ev,Iz      lock
      81/4           AND              Ev,Iz      lock
      81/5           SUB              Ev,Iz      lock
      81/6           XOR              Ev,Iz      lock
      81/7           CMP              Ev,Iz
      82/0           ADD              Eb,Ib      byte lock i64
      82/1           OR               Eb,Ib      byte lock i64
      82/2           ADC              Eb,Ib      byte lock i64
      82/3           SBB              Eb,Ib      byte lock i64
      82/4           AND              Eb,Ib      byte lock i64
      82/5           SUB              Eb,Ib      byte lock i64
      82/6           XOR              Eb,Ib      byte lock i64
      82/7           CMP              Eb,Ib      byte i64
      83/0           ADD              Ev,Ib      lock
      83/1           OR               Ev,Ib      lock
      83/2           ADC              Ev,Ib      lock
      83/3           SBB              Ev,Ib      lock
      83/4           AND              Ev,Ib      lock
      83/5           SUB              Ev,Ib      lock
      83/6           XOR              Ev,Ib      lock
      83/7           CMP              Ev,Ib
      84             TEST             Eb,Gb      byte
      85             TEST             Ev,Gv
      86             XCHG             Eb,Gb      byte lock
      87             XCHG             Ev,Gv      lock
      88             MOV              Eb,Gb      byte
      89             MOV              Ev,Gv
      8A             MOV              Gb,Eb      byte
      8B             MOV              Gv,Ev
      8C/0-5         MOV_FROM_SEGMENT Ev,Sw
      8C/6-7         RESERVED         -
      8Dm            LEA              Gv,M       noaccess
      8Dr            RESERVED         -
      8E/1           RESERVED         -
      8E/0-5         MOV_TO_SEGMENT   Sw,Ew
      8E/6-7         RESERVED         -
      8F/0           POP              Ev         stack
      90             XCHG             Zv,rAX     rexb
      F3.90          PAUSE            -
      90             NOP              -
      91-97          XCHG             Zv,rAX
      98             CBW              -
      99             CWD              -
      9A             CALL_FAR         Ap         sp i64
      9B             WAIT             -
      9C             PUSHF            -          stack
      9D             POPF             -          stack
      9E             SAHF             -
      9F             LAHF             -
      A0             MOV              AL,Ob      byte
      A1             MOV              rAX,Ov
      A2             MOV              Ob,AL      byte
      A3             MOV              Ov,rAX
      A4             MOVS             Yb,Xb      byte
      A5             MOVS             Yv,Xv
      A6             CMPS             Xb,Yb      byte
      A7             CMPS             Xv,Yv
      A8             TEST             AL,Ib      byte
      A9             TEST             rAX,Iz
      AA             STOS             Yb,AL      byte
      AB             STOS             Yv,rAX
      AC             LODS             AL,Xb      byte
      AD             LODS             rAX,Xv
      AE             SCAS             AL,Yb      byte
      AF             SCAS             rAX,Yv
      B0-B7          MOV              Zb,Ib      byte
      B8-BF          MOV              Zv,Iv
      C0/0           ROL              Eb,Ib      byte
      C0/1           ROR              Eb,Ib      byte
      C0/2           RCL              Eb,Ib      byte
      C0/3           RCR              Eb,Ib      byte
      C0/4           SHL              Eb,Ib      byte
      C0/5           SHR              Eb,Ib      byte
      C0/6           SHL              Eb,Ib      byte
      C0/7           SAR              Eb,Ib      byte
      C1/0           ROL              Ev,Ib
      C1/1           ROR              Ev,Ib
      C1/2           RCL              Ev,Ib
      C1/3           RCR              Ev,Ib
      C1/4           SHL              Ev,Ib
      C1/5           SHR              Ev,Ib
      C1/6           SHL              Ev,Ib
      C1/7           SAR              Ev,Ib
      C2             RET              Iw         sp
      C3             RET              -          sp
      C4m            LES              Gz,Mp      legacy
      C4r            RESERVED         -          legacy
      C5m            LDS              Gz,Mp      legacy
      C5r            RESERVED         -          legacy
      C6/0           MOV              Eb,Ib      byte
      C7/0           MOV              Ev,Iz
      C8             ENTER            Iw,Ib      stack
      C9             LEAVE            -          stack
      CA             RET_FAR          Iw         sp
      CB             RET_FAR          -          sp
      CC             INT3             -
      CD             INT              Ib
      CE             INTO             -          i64
      CF             IRET             -          sp
      D0/0           ROL              Eb,1       byte flags=M----M
      D0/1           ROR              Eb,1       byte flags=M----M
      D0/2           RCL              Eb,1       byte flags=M----X
      D0/3           RCR              Eb,1       byte flags=M----X
      D0/4           SHL              Eb,1       byte flags=MMMUMM
      D0/5           SHR              Eb,1       byte flags=MMMUMM
      D0/6           SHL              Eb,1       byte flags=MMMUMM
      D0/7           SAR              Eb,1       byte flags=MMMUMM
      D1/0           ROL              Ev,1       flags=M----M
      D1/1           ROR              Ev,1       flags=M----M
      D1/2           RCL              Ev,1       flags=M----X
      D1/3           RCR              Ev,1       flags=M----X
      D1/4           SHL              Ev,1       flags=MMMUMM
      D1/5           SHR              Ev,1       flags=MMMUMM
      D1/6           SHL              Ev,1       flags=MMMUMM
      D1/7           SAR              Ev,1       flags=MMMUMM
      D2/0           ROL              Eb,CL      byte
      D2/1           ROR              Eb,CL      byte
      D2/2           RCL              Eb,CL      byte
      D2/3           RCR              Eb,CL      byte
      D2/4           SHL              Eb,CL      byte
      D2/5           SHR              Eb,CL      byte
      D2/6           SHL              Eb,CL      byte
      D2/7           SAR              Eb,CL      byte
      D3/0           ROL              Ev,CL
      D3/1           ROR              Ev,CL
      D3/2           RCL              Ev,CL
      D3/3           RCR              Ev,CL
      D3/4           SHL              Ev,CL
      D3/5           SHR              Ev,CL
      D3/6           SHL              Ev,CL
      D3/7           SAR              Ev,CL
      D4             AAM              Ib         faults i64
      D5             AAD              Ib         i64
      D6             SALC             -          i64
      D7             XLAT             -          memory
      E0             LOOPNE           Jb
      E1             LOOPE            Jb
      E2             LOOP             Jb
      E3             JCXZ             Jb
      E4             IN               AL,Ib      byte
      E5             IN               rAX,Ib
      E6             OUT              Ib,AL      byte
      E7             OUT              Ib,rAX
      E8             CALL             Jz         sp
      E9             JMP              Jz
      EA             JMP_FAR          Ap         i64
      EB             JMP              Jb
      EC             IN               AL,DX      byte
      ED             IN               rAX,DX
      EE             OUT              DX,AL      byte
      EF             OUT              DX,rAX
      F1             INT1             -
      F4             HLT              -          cpl0
      F5             CMC              -
      F6/0-1         TEST             Eb,Ib      byte
      F6/2           NOT              Eb         byte lock
      F6/3           NEG              Eb         byte lock
      F6/4           MUL              Eb         byte
      F6/5           IMUL             Eb         byte
      F6/6           DIV              Eb         byte faults
      F6/7           IDIV             Eb         byte faults
      F7/0-1         TEST             Ev,Iz
      F7/2           NOT              Ev         lock
      F7/3           NEG              Ev         lock
      F7/4           MUL              Ev
      F7/5           IMUL             Ev
      F7/6           DIV              Ev         faults
      F7/7           IDIV             Ev         faults
      F8             CLC              -
      F9             STC              -
      FA             CLI              -
      FB             STI              -
      FC             CLD              -
      FD             STD              -
      FE/0           INC              Eb         byte lock
      FE/1           DEC              Eb         byte lock
      FE/2-7         RESERVED         -
      FF/0           INC              Ev         lock
      FF/1           DEC              Ev         lock
      FF/2           CALL             Ev         sp
      FF/3m          CALL_FAR         Mp         sp
      FF/4           JMP              Ev
      FF/5m          JMP_FAR          Mp
      FF/6           PUSH             Ev         stack
      FF/3r          RESERVED         -
      FF/5r          RESERVED         -
      FF/7           RESERVED         -
      """;

  static final String X87 =
      """
      D8/0m          FADD             ST0,Md
      D8/1m          FMUL             ST0,Md
      D8/2m          FCOM             ST0,Md
      D8/3m          FCOMP            ST0,Md
      D8/4m          FSUB             ST0,Md
      D8/5m          FSUBR            ST0,Md
      D8/6m          FDIV             ST0,Md
      D8/7m          FDIVR            ST0,Md
      D8/0r          FADD             ST0,STi
      D8/1r          FMUL             ST0,STi
      D8/2r          FCOM             ST0,STi
      D8/3r          FCOMP            ST0,STi
      D8/4r          FSUB             ST0,STi
      D8/5r          FSUBR            ST0,STi
      D8/6r          FDIV             ST0,STi
      D8/7r          FDIVR            ST0,STi
      D9/0m          FLD              Md
      D9/2m          FST              Md
      D9/3m          FSTP             Md
      D9/4m          FLDENV           M
      D9/5m          FLDCW            Mw
      D9/6m          FNSTENV          M
      D9/7m          FNSTCW           Mw
      D9/0r          FLD              STi
      D9/1r          FXCH             ST0,STi
      D9:D0          FNOP             -
      D9/3r          FSTPNCE          STi
      D9:E0          FCHS             ST0
      D9:E1          FABS             ST0
      D9:E4          FTST             ST0
      D9:E5          FXAM             ST0
      D9:E8          FLD1             ST0
      D9:E9          FLDL2T           ST0
      D9:EA          FLDL2E           ST0
      D9:EB          FLDPI            ST0
      D9:EC          FLDLG2           ST0
      D9:ED          FLDLN2           ST0
      D9:EE          FLDZ             ST0
      D9:F0          F2XM1            ST0
      D9:F1          FYL2X            ST0
      D9:F2          FPTAN            ST0
      D9:F3          FPATAN           ST0
      D9:F4          FXTRACT          ST0
      D9:F5          FPREM1           ST0
      D9:F6          FDECSTP          ST0
      D9:F7          FINCSTP          ST0
      D9:F8          FPREM            ST0
      D9:F9          FYL2XP1          ST0
      D9:FA          FSQRT            ST0
      D9:FB          FSINCOS          ST0
      D9:FC          FRNDINT          ST0
      D9:FD          FSCALE           ST0
      D9:FE          FSIN             ST0
      D9:FF          FCOS             ST0
      DA/0m          FIADD            ST0,Md
      DA/1m          FIMUL            ST0,Md
      DA/2m          FICOM            ST0,Md
      DA/3m          FICOMP           ST0,Md
      DA/4m          FISUB            ST0,Md
      DA/5m          FISUBR           ST0,Md
      DA/6m          FIDIV            ST0,Md
      DA/7m          FIDIVR           ST0,Md
      DA/0r          FCMOVB           ST0,STi
      DA/1r          FCMOVE           ST0,STi
      DA/2r          FCMOVBE          ST0,STi
      DA/3r          FCMOVU           ST0,STi
      DA:E9          FUCOMPP          ST0,STi
      DB/0m          FILD             Md
      DB/1m          FISTTP           Md
      DB/2m          FIST             Md
      DB/3m          FISTP            Md
      DB/5m          FLD              Mt
      DB/7m          FSTP             Mt
      DB/0r          FCMOVNB          ST0,STi
      DB/1r          FCMOVNE          ST0,STi
      DB/2r          FCMOVNBE         ST0,STi
      DB/3r          FCMOVNU          ST0,STi
      DB:E0          FNENI            -
      DB:E1          FNDISI           -
      DB:E2          FNCLEX           -
      DB:E3          FNINIT           -
      DB:E4          FNSETPM          -
      DB/5r          FUCOMI           ST0,STi
      DB/6r          FCOMI            ST0,STi
      DC/0m          FADD             ST0,Mq
      DC/1m          FMUL             ST0,Mq
      DC/2m          FCOM             ST0,Mq
      DC/3m          FCOMP            ST0,Mq
      DC/4m          FSUB             ST0,Mq
      DC/5m          FSUBR            ST0,Mq
      DC/6m          FDIV             ST0,Mq
      DC/7m          FDIVR            ST0,Mq
      DC/0r          FADD             STi,ST0
      DC/1r          FMUL             STi,ST0
      DC/2r          FCOM             ST0,STi
      DC/3r          FCOMP            ST0,STi
      DC/4r          FSUBR            STi,ST0
      DC/5r          FSUB             STi,ST0
      DC/6r          FDIVR            STi,ST0
      DC/7r          FDIV             STi,ST0
      DD/0m          FLD              Mq
      DD/1m          FISTTP           Mq
      DD/2m          FST              Mq
      DD/3m          FSTP             Mq
      DD/4m          FRSTOR           M
      DD/6m          FNSAVE           M
      DD/7m          FNSTSW           Mw
      DD/0r          FFREE            STi
      DD/1r          FXCH             ST0,STi
      DD/2r          FST              STi
      DD/3r          FSTP             STi
      DD/4r          FUCOM            ST0,STi
      DD/5r          FUCOMP           ST0,STi
      DE/0m          FIADD            ST0,Mw
      DE/1m          FIMUL            ST0,Mw
      DE/2m          FICOM            ST0,Mw
      DE/3m          FICOMP           ST0,Mw
      DE/4m          FISUB            ST0,Mw
      DE/5m          FISUBR           ST0,Mw
      DE/6m          FIDIV            ST0,Mw
      DE/7m          FIDIVR           ST0,Mw
      DE/0r          FADDP            STi,ST0
      DE/1r          FMULP            STi,ST0
      DE/2r          FCOMP            ST0,STi
      DE:D9          FCOMPP           ST0,STi
      DE/4r          FSUBRP           STi,ST0
      DE/5r          FSUBP            STi,ST0
      DE/6r          FDIVRP           STi,ST0
      DE/7r          FDIVP            STi,ST0
      DF/0m          FILD             Mw
      DF/1m          FISTTP           Mw
      DF/2m          FIST             Mw
      DF/3m          FISTP            Mw
      DF/4m          FBLD             Mt
      DF/5m          FILD             Mq
      DF/6m          FBSTP            Mt
      DF/7m          FISTP            Mq
      DF/0r          FFREEP           STi
      DF/1r          FXCH             ST0,STi
      DF/2-3r        FSTP             STi
      DF:E0          FNSTSW           AX
      DF/5r          FUCOMIP          ST0,STi
      DF/6r          FCOMIP           ST0,STi
      """;

  static final String TWO_BYTE =
      """
      0F00/0         SLDT             Ev
      0F00/1         STR              Ev
      0F00/2         LLDT             Ew         cpl0
      0F00/3         LTR              Ew         cpl0
      0F00/4         VERR             Ew
      0F00/5         VERW             Ew
      0F00/6-7       RESERVED         -
      0F01/0m        SGDT             Ms
      0F01/1m        SIDT             Ms
      0F01/2m        LGDT             Ms         cpl0
      0F01/3m        LIDT             Ms         cpl0
      0F01/4         SMSW             Ev
      0F01/6         LMSW             Ew         cpl0
      0F01/7m        INVLPG           Mb         cpl0 noaccess
      NP.0F01:CA     CLAC             -          cpl0
      NP.0F01:CB     STAC             -          cpl0
      NP.0F01:D0     XGETBV           -
      NP.0F01:D1     XSETBV           -          cpl0
      NP.0F01:EE     RDPKRU           -
      NP.0F01:EF     WRPKRU           -
      NP.0F01:F8     SWAPGS           -          cpl0
      NP.0F01:F9     RDTSCP           -
      0F01           RESERVED         -
      0F02           LAR              Gv,Ew
      0F03           LSL              Gv,Ew
      0F05           SYSCALL          -
      0F06           CLTS             -          cpl0
      0F07           SYSRET           -          cpl0
      0F08           INVD             -          cpl0
      0F09           WBINVD           -          cpl0
      0F0B           UD2              -
      0F0Dm          PREFETCHW        Mb         noaccess
      0F0Dr          PREFETCHW        Ev         intel
      NP.0F10        MOVUPS           Vx,Wx
      66.0F10        MOVUPD           Vx,Wx
      F3.0F10        MOVSS            Vd,Wd
      F2.0F10        MOVSD            Vq,Wq
      NP.0F11        MOVUPS           Wx,Vx
      66.0F11        MOVUPD           Wx,Vx
      F3.0F11        MOVSS            Wd,Vd
      F2.0F11        MOVSD            Wq,Vq
      NP.0F12r       MOVHLPS          Vq,Uq
      NP.0F12m       MOVLPS           Vq,Mq
      66.0F12m       MOVLPD           Vq,Mq
      F3.0F12        MOVSLDUP         Vx,Wx
      F2.0F12        MOVDDUP          Vx,Wq
      NP.0F13m       MOVLPS           Mq,Vq
      66.0F13m       MOVLPD           Mq,Vq
      NP.0F14        UNPCKLPS         Vx,Wx
      66.0F14        UNPCKLPD         Vx,Wx
      NP.0F15        UNPCKHPS         Vx,Wx
      66.0F15        UNPCKHPD         Vx,Wx
      NP.0F16r       MOVLHPS          Vq,Uq
      NP.0F16m       MOVHPS           Vq,Mq
      66.0F16m       MOVHPD           Vq,Mq
      F3.0F16        MOVSHDUP         Vx,Wx
      NP.0F17m       MOVHPS           Mq,Vq
      66.0F17m       MOVHPD           Mq,Vq
      0F18           PREFETCH         Ev         noaccess
      0F19-1F        NOP              Ev         noaccess
      0F20           MOV_FROM_CR      Ry,Cy      cpl0
      0F21           MOV_FROM_DR      Ry,Dy      cpl0
      0F22           MOV_TO_CR        Cy,Ry      cpl0
      0F23           MOV_TO_DR        Dy,Ry      cpl0
      NP.0F28        MOVAPS           Vx,Wx
      66.0F28        MOVAPD           Vx,Wx
      NP.0F29        MOVAPS           Wx,Vx
      66.0F29        MOVAPD           Wx,Vx
      NP.0F2A        CVTPI2PS         Vq,Qq
      66.0F2A        CVTPI2PD         Vx,Qq
      F3.0F2A        CVTSI2SS         Vd,Ey
      F2.0F2A        CVTSI2SD         Vq,Ey
      NP.0F2Bm       MOVNTPS          Mx,Vx
      66.0F2Bm       MOVNTPD          Mx,Vx
      NP.0F2C        CVTTPS2PI        Pq,Wq
      66.0F2C        CVTTPD2PI        Pq,Wx
      F3.0F2C        CVTTSS2SI        Gy,Wd
      F2.0F2C        CVTTSD2SI        Gy,Wq
      NP.0F2D        CVTPS2PI         Pq,Wq
      66.0F2D        CVTPD2PI         Pq,Wx
      F3.0F2D        CVTSS2SI         Gy,Wd
      F2.0F2D        CVTSD2SI         Gy,Wq
      NP.0F2E        UCOMISS          Vd,Wd
      66.0F2E        UCOMISD          Vq,Wq
      NP.0F2F        COMISS           Vd,Wd
      66.0F2F        COMISD           Vq,Wq
      0F30           WRMSR            -          cpl0
      0F31           RDTSC            -
      0F32           RDMSR            -          cpl0
      0F33           RDPMC            -
      0F34           SYSENTER         -
      0F35           SYSEXIT          -          cpl0
      0F40-4F        CMOVCC           Gv,Ev
      NP.0F50r       MOVMSKPS         Gd,Ux
      66.0F50r       MOVMSKPD         Gd,Ux
      NP.0F51        SQRTPS           Vx,Wx
      66.0F51        SQRTPD           Vx,Wx
      F3.0F51        SQRTSS           Vd,Wd
      F2.0F51        SQRTSD           Vq,Wq
      NP.0F52        RSQRTPS          Vx,Wx
      F3.0F52        RSQRTSS          Vd,Wd
      NP.0F53        RCPPS            Vx,Wx
      F3.0F53        RCPSS            Vd,Wd
      NP.0F54        ANDPS            Vx,Wx
      66.0F54        ANDPD            Vx,Wx
      NP.0F55        ANDNPS           Vx,Wx
      66.0F55        ANDNPD           Vx,Wx
      NP.0F56        ORPS             Vx,Wx
      66.0F56        ORPD             Vx,Wx
      NP.0F57        XORPS            Vx,Wx
      66.0F57        XORPD            Vx,Wx
      NP.0F58        ADDPS            Vx,Wx
      66.0F58        ADDPD            Vx,Wx
      F3.0F58        ADDSS            Vd,Wd
      F2.0F58        ADDSD            Vq,Wq
      NP.0F59        MULPS            Vx,Wx
      66.0F59        MULPD            Vx,Wx
      F3.0F59        MULSS            Vd,Wd
      F2.0F59        MULSD            Vq,Wq
      NP.0F5A        CVTPS2PD         Vx,Wq
      66.0F5A        CVTPD2PS         Vq,Wx
      F3.0F5A        CVTSS2SD         Vq,Wd
      F2.0F5A        CVTSD2SS         Vd,Wq
      NP.0F5B        CVTDQ2PS         Vx,Wx
      66.0F5B        CVTPS2DQ         Vx,Wx
      F3.0F5B        CVTTPS2DQ        Vx,Wx
      NP.0F5C        SUBPS            Vx,Wx
      66.0F5C        SUBPD            Vx,Wx
      F3.0F5C        SUBSS            Vd,Wd
      F2.0F5C        SUBSD            Vq,Wq
      NP.0F5D        MINPS            Vx,Wx
      66.0F5D        MINPD            Vx,Wx
      F3.0F5D        MINSS            Vd,Wd
      F2.0F5D        MINSD            Vq,Wq
      NP.0F5E        DIVPS            Vx,Wx
      66.0F5E        DIVPD            Vx,Wx
      F3.0F5E        DIVSS            Vd,Wd
      F2.0F5E        DIVSD            Vq,Wq
      NP.0F5F        MAXPS            Vx,Wx
      66.0F5F        MAXPD            Vx,Wx
      F3.0F5F        MAXSS            Vd,Wd
      F2.0F5F        MAXSD            Vq,Wq
      NP.0F60        PUNPCKLBW        Pq,Qd
      66.0F60        PUNPCKLBW        Vx,Wx
      NP.0F61        PUNPCKLWD        Pq,Qd
      66.0F61        PUNPCKLWD        Vx,Wx
      NP.0F62        PUNPCKLDQ        Pq,Qd
      66.0F62        PUNPCKLDQ        Vx,Wx
      NP.0F63        PACKSSWB         Pq,Qq
      66.0F63        PACKSSWB         Vx,Wx
      NP.0F64        PCMPGTB          Pq,Qq
      66.0F64        PCMPGTB          Vx,Wx
      NP.0F65        PCMPGTW          Pq,Qq
      66.0F65        PCMPGTW          Vx,Wx
      NP.0F66        PCMPGTD          Pq,Qq
      66.0F66        PCMPGTD          Vx,Wx
      NP.0F67        PACKUSWB         Pq,Qq
      66.0F67        PACKUSWB         Vx,Wx
      NP.0F68        PUNPCKHBW        Pq,Qq
      66.0F68        PUNPCKHBW        Vx,Wx
      NP.0F69        PUNPCKHWD        Pq,Qq
      66.0F69        PUNPCKHWD        Vx,Wx
      NP.0F6A        PUNPCKHDQ        Pq,Qq
      66.0F6A        PUNPCKHDQ        Vx,Wx
      NP.0F6B        PACKSSDW         Pq,Qq
      66.0F6B        PACKSSDW         Vx,Wx
      66.0F6C        PUNPCKLQDQ       Vx,Wx
      66.0F6D        PUNPCKHQDQ       Vx,Wx
      NP.0F6E        MOVD             Pq,Ey
      66.0F6E        MOVD             Vx,Ey
      NP.0F6F        MOVQ             Pq,Qq
      66.0F6F        MOVDQA           Vx,Wx
      F3.0F6F        MOVDQU           Vx,Wx
      NP.0F70        PSHUFW           Pq,Qq,Ib
      66.0F70        PSHUFD           Vx,Wx,Ib
      F3.0F70        PSHUFHW          Vx,Wx,Ib
      F2.0F70        PSHUFLW          Vx,Wx,Ib
      NP.0F71/2r     PSRLW            Nq,Ib
      66.0F71/2r     PSRLW            Ux,Ib
      NP.0F71/4r     PSRAW            Nq,Ib
      66.0F71/4r     PSRAW            Ux,Ib
      NP.0F71/6r     PSLLW            Nq,Ib
      66.0F71/6r     PSLLW            Ux,Ib
      NP.0F72/2r     PSRLD            Nq,Ib
      66.0F72/2r     PSRLD            Ux,Ib
      NP.0F72/4r     PSRAD            Nq,Ib
      66.0F72/4r     PSRAD            Ux,Ib
      NP.0F72/6r     PSLLD            Nq,Ib
      66.0F72/6r     PSLLD            Ux,Ib
      NP.0F73/2r     PSRLQ            Nq,Ib
      66.0F73/2r     PSRLQ            Ux,Ib
      NP.0F73/6r     PSLLQ            Nq,Ib
      66.0F73/6r     PSLLQ            Ux,Ib
      66.0F73/3r     PSRLDQ           Ux,Ib
      66.0F73/7r     PSLLDQ           Ux,Ib
      NP.0F74        PCMPEQB          Pq,Qq
      66.0F74        PCMPEQB          Vx,Wx
      NP.0F75        PCMPEQW          Pq,Qq
      66.0F75        PCMPEQW          Vx,Wx
      NP.0F76        PCMPEQD          Pq,Qq
      66.0F76        PCMPEQD          Vx,Wx
      NP.0F77        EMMS             -
      66.0F7C        HADDPD           Vx,Wx
      F2.0F7C        HADDPS           Vx,Wx
      66.0F7D        HSUBPD           Vx,Wx
      F2.0F7D        HSUBPS           Vx,Wx
      NP.0F7E        MOVD             Ey,Pq
      66.0F7E        MOVD             Ey,Vx
      F3.0F7E        MOVQ             Vq,Wq
      NP.0F7F        MOVQ             Qq,Pq
      66.0F7F        MOVDQA           Wx,Vx
      F3.0F7F        MOVDQU           Wx,Vx
      0F80-8F        JCC              Jz
      0F90-9F        SETCC            Eb         byte
      0FA0           PUSH_SEGMENT     FS         stack
      0FA1           POP_SEGMENT      FS         stack
      0FA2           CPUID            -
      0FA3           BT               Ev,Gv
      0FA4           SHLD             Ev,Gv,Ib
      0FA5           SHLD             Ev,Gv,CL
      0FA8           PUSH_SEGMENT     GS         stack
      0FA9           POP_SEGMENT      GS         stack
      0FAA           RSM              -
      0FAB           BTS              Ev,Gv      lock
      0FAC           SHRD             Ev,Gv,Ib
      0FAD           SHRD             Ev,Gv,CL
      NP.0FAE/0m     FXSAVE           M
      NP.0FAE/1m     FXRSTOR          M
      NP.0FAE/2m     LDMXCSR          Md
      NP.0FAE/3m     STMXCSR          Md
      NP.0FAE/4m     XSAVE            M
      NP.0FAE/5m     XRSTOR           M
      NP.0FAE/6m     XSAVEOPT         M
      NP.0FAE/7m     CLFLUSH          Mb
      66.0FAE/6m     CLWB             Mb         cpuid=CLWB
      66.0FAE/7m     CLFLUSHOPT       Mb         cpuid=CLFLUSHOPT
      NP.0FAE/5r     LFENCE           -
      NP.0FAE/6r     MFENCE           -
      NP.0FAE/7r     SFENCE           -
      F3.0FAE/0r     RDFSBASE         Ry
      F3.0FAE/1r     RDGSBASE         Ry
      F3.0FAE/2r     WRFSBASE         Ry
      F3.0FAE/3r     WRGSBASE         Ry
      F3.0FAE/4-7r   RESERVED         -
      0FAF           IMUL             Gv,Ev
      0FB0           CMPXCHG          Eb,Gb      byte lock
      0FB1           CMPXCHG          Ev,Gv      lock
      0FB2m          LSS              Gv,Mp
      0FB2r          RESERVED         -
      0FB3           BTR              Ev,Gv      lock
      0FB4m          LFS              Gv,Mp
      0FB4r          RESERVED         -
      0FB5m          LGS              Gv,Mp
      0FB5r          RESERVED         -
      0FB6           MOVZX            Gv,Eb
      0FB7           MOVZX            Gv,Ew
      F3.0FB8        POPCNT           Gv,Ev
      0FB9           UD1              Gv,Ev
      0FBA/4         BT               Ev,Ib
      0FBA/5         BTS              Ev,Ib      lock
      0FBA/6         BTR              Ev,Ib      lock
      0FBA/7         BTC              Ev,Ib      lock
      0FBA/0-3       RESERVED         -
      0FBB           BTC              Ev,Gv      lock
      F3.0FBC        TZCNT            Gv,Ev      cpuid=BMI1
      0FBC           BSF              Gv,Ev
      F3.0FBD        LZCNT            Gv,Ev      cpuid=LZCNT
      0FBD           BSR              Gv,Ev
      0FBE           MOVSX            Gv,Eb
      0FBF           MOVSX            Gv,Ew
      0FC0           XADD             Eb,Gb      byte lock
      0FC1           XADD             Ev,Gv      lock
      NP.0FC2        CMPPS            Vx,Wx,Ib
      66.0FC2        CMPPD            Vx,Wx,Ib
      F3.0FC2        CMPSS            Vd,Wd,Ib
      F2.0FC2        CMPSD            Vq,Wq,Ib
      NP.0FC3m       MOVNTI           My,Gy
      NP.0FC4        PINSRW           Pq,Ew,Ib
      66.0FC4        PINSRW           Vx,Ew,Ib
      NP.0FC5r       PEXTRW           Gd,Nq,Ib
      66.0FC5r       PEXTRW           Gd,Ux,Ib
      NP.0FC6        SHUFPS           Vx,Wx,Ib
      66.0FC6        SHUFPD           Vx,Wx,Ib
      0FC7/1m        CMPXCHG8B        M          lock
      0FC7/6r        RDRAND           Ev
      0FC7/7r        RDSEED           Ev
      0FC8-CF        BSWAP            Zv
      66.0FD0        ADDSUBPD         Vx,Wx
      F2.0FD0        ADDSUBPS         Vx,Wx
      NP.0FD1        PSRLW            Pq,Qq
      66.0FD1        PSRLW            Vx,Wx
      NP.0FD2        PSRLD            Pq,Qq
      66.0FD2        PSRLD            Vx,Wx
      NP.0FD3        PSRLQ            Pq,Qq
      66.0FD3        PSRLQ            Vx,Wx
      NP.0FD4        PADDQ            Pq,Qq
      66.0FD4        PADDQ            Vx,Wx
      NP.0FD5        PMULLW           Pq,Qq
      66.0FD5        PMULLW           Vx,Wx
      66.0FD6        MOVQ             Wq,Vq
      F3.0FD6r       MOVQ2DQ          Vx,Nq
      F2.0FD6r       MOVDQ2Q          Pq,Uq
      NP.0FD7r       PMOVMSKB         Gd,Nq
      66.0FD7r       PMOVMSKB         Gd,Ux
      NP.0FD8        PSUBUSB          Pq,Qq
      66.0FD8        PSUBUSB          Vx,Wx
      NP.0FD9        PSUBUSW          Pq,Qq
      66.0FD9        PSUBUSW          Vx,Wx
      NP.0FDA        PMINUB           Pq,Qq
      66.0FDA        PMINUB           Vx,Wx
      NP.0FDB        PAND             Pq,Qq
      66.0FDB        PAND             Vx,Wx
      NP.0FDC        PADDUSB          Pq,Qq
      66.0FDC        PADDUSB          Vx,Wx
      NP.0FDD        PADDUSW          Pq,Qq
      66.0FDD        PADDUSW          Vx,Wx
      NP.0FDE        PMAXUB           Pq,Qq
      66.0FDE        PMAXUB           Vx,Wx
      NP.0FDF        PANDN            Pq,Qq
      66.0FDF        PANDN            Vx,Wx
      NP.0FE0        PAVGB            Pq,Qq
      66.0FE0        PAVGB            Vx,Wx
      NP.0FE1        PSRAW            Pq,Qq
      66.0FE1        PSRAW            Vx,Wx
      NP.0FE2        PSRAD            Pq,Qq
      66.0FE2        PSRAD            Vx,Wx
      NP.0FE3        PAVGW            Pq,Qq
      66.0FE3        PAVGW            Vx,Wx
      NP.0FE4        PMULHUW          Pq,Qq
      66.0FE4        PMULHUW          Vx,Wx
      NP.0FE5        PMULHW           Pq,Qq
      66.0FE5        PMULHW           Vx,Wx
      66.0FE6        CVTTPD2DQ        Vq,Wx
      F3.0FE6        CVTDQ2PD         Vx,Wq
      F2.0FE6        CVTPD2DQ         Vq,Wx
      NP.0FE7m       MOVNTQ           Mq,Pq
      66.0FE7m       MOVNTDQ          Mx,Vx
      NP.0FE8        PSUBSB           Pq,Qq
      66.0FE8        PSUBSB           Vx,Wx
      NP.0FE9        PSUBSW           Pq,Qq
      66.0FE9        PSUBSW           Vx,Wx
      NP.0FEA        PMINSW           Pq,Qq
      66.0FEA        PMINSW           Vx,Wx
      NP.0FEB        POR              Pq,Qq
      66.0FEB        POR              Vx,Wx
      NP.0FEC        PADDSB           Pq,Qq
      66.0FEC        PADDSB           Vx,Wx
      NP.0FED        PADDSW           Pq,Qq
      66.0FED        PADDSW           Vx,Wx
      NP.0FEE        PMAXSW           Pq,Qq
      66.0FEE        PMAXSW           Vx,Wx
      NP.0FEF        PXOR             Pq,Qq
      66.0FEF        PXOR             Vx,Wx
      F2.0FF0m       LDDQU            Vx,Mx
      NP.0FF1        PSLLW            Pq,Qq
      66.0FF1        PSLLW            Vx,Wx
      NP.0FF2        PSLLD            Pq,Qq
      66.0FF2        PSLLD            Vx,Wx
      NP.0FF3        PSLLQ            Pq,Qq
      66.0FF3        PSLLQ            Vx,Wx
      NP.0FF4        PMULUDQ          Pq,Qq
      66.0FF4        PMULUDQ          Vx,Wx
      NP.0FF5        PMADDWD          Pq,Qq
      66.0FF5        PMADDWD          Vx,Wx
      NP.0FF6        PSADBW           Pq,Qq
      66.0FF6        PSADBW           Vx,Wx
      NP.0FF7r       MASKMOVQ         Pq,Nq      memory
      66.0FF7r       MASKMOVDQU       Vx,Ux      memory
      NP.0FF8        PSUBB            Pq,Qq
      66.0FF8        PSUBB            Vx,Wx
      NP.0FF9        PSUBW            Pq,Qq
      66.0FF9        PSUBW            Vx,Wx
      NP.0FFA        PSUBD            Pq,Qq
      66.0FFA        PSUBD            Vx,Wx
      NP.0FFB        PSUBQ            Pq,Qq
      66.0FFB        PSUBQ            Vx,Wx
      NP.0FFC        PADDB            Pq,Qq
      66.0FFC        PADDB            Vx,Wx
      NP.0FFD        PADDW            Pq,Qq
      66.0FFD        PADDW            Vx,Wx
      NP.0FFE        PADDD            Pq,Qq
      66.0FFE        PADDD            Vx,Wx
      0FFF           UD0              Gv,Ev
      """;

  static final String THREE_BYTE =
      """
      NP.0F3800      PSHUFB           Pq,Qq
      66.0F3800      PSHUFB           Vx,Wx
      NP.0F3801      PHADDW           Pq,Qq
      66.0F3801      PHADDW           Vx,Wx
      NP.0F3802      PHADDD           Pq,Qq
      66.0F3802      PHADDD           Vx,Wx
      NP.0F3803      PHADDSW          Pq,Qq
      66.0F3803      PHADDSW          Vx,Wx
      NP.0F3804      PMADDUBSW        Pq,Qq
      66.0F3804      PMADDUBSW        Vx,Wx
      NP.0F3805      PHSUBW           Pq,Qq
      66.0F3805      PHSUBW           Vx,Wx
      NP.0F3806      PHSUBD           Pq,Qq
      66.0F3806      PHSUBD           Vx,Wx
      NP.0F3807      PHSUBSW          Pq,Qq
      66.0F3807      PHSUBSW          Vx,Wx
      NP.0F3808      PSIGNB           Pq,Qq
      66.0F3808      PSIGNB           Vx,Wx
      NP.0F3809      PSIGNW           Pq,Qq
      66.0F3809      PSIGNW           Vx,Wx
      NP.0F380A      PSIGND           Pq,Qq
      66.0F380A      PSIGND           Vx,Wx
      NP.0F380B      PMULHRSW         Pq,Qq
      66.0F380B      PMULHRSW         Vx,Wx
      66.0F3810      PBLENDVB         Vx,Wx
      66.0F3814      BLENDVPS         Vx,Wx
      66.0F3815      BLENDVPD         Vx,Wx
      66.0F3817      PTEST            Vx,Wx
      NP.0F381C      PABSB            Pq,Qq
      66.0F381C      PABSB            Vx,Wx
      NP.0F381D      PABSW            Pq,Qq
      66.0F381D      PABSW            Vx,Wx
      NP.0F381E      PABSD            Pq,Qq
      66.0F381E      PABSD            Vx,Wx
      66.0F3820      PMOVSXBW         Vx,Wq
      66.0F3821      PMOVSXBD         Vx,Wd
      66.0F3822      PMOVSXBQ         Vx,Ww
      66.0F3823      PMOVSXWD         Vx,Wq
      66.0F3824      PMOVSXWQ         Vx,Wd
      66.0F3825      PMOVSXDQ         Vx,Wq
      66.0F3828      PMULDQ           Vx,Wx
      66.0F3829      PCMPEQQ          Vx,Wx
      66.0F382Am     MOVNTDQA         Vx,Mx
      66.0F382B      PACKUSDW         Vx,Wx
      66.0F3830      PMOVZXBW         Vx,Wq
      66.0F3831      PMOVZXBD         Vx,Wd
      66.0F3832      PMOVZXBQ         Vx,Ww
      66.0F3833      PMOVZXWD         Vx,Wq
      66.0F3834      PMOVZXWQ         Vx,Wd
      66.0F3835      PMOVZXDQ         Vx,Wq
      66.0F3837      PCMPGTQ          Vx,Wx
      66.0F3838      PMINSB           Vx,Wx
      66.0F3839      PMINSD           Vx,Wx
      66.0F383A      PMINUW           Vx,Wx
      66.0F383B      PMINUD           Vx,Wx
      66.0F383C      PMAXSB           Vx,Wx
      66.0F383D      PMAXSD           Vx,Wx
      66.0F383E      PMAXUW           Vx,Wx
      66.0F383F      PMAXUD           Vx,Wx
      66.0F3840      PMULLD           Vx,Wx
      66.0F3841      PHMINPOSUW       Vx,Wx
      66.0F3882m     INVPCID          Gy,Mx      cpl0
      NP66.0F38F0m   MOVBE            Gv,Mv      cpuid=MOVBE
      F2.0F38F0      CRC32            Gd,Eb
      NP66.0F38F1m   MOVBE            Mv,Gv      cpuid=MOVBE
      F2.0F38F1      CRC32            Gd,Ev
      66.0F38F6      ADCX             Gy,Ey      cpuid=ADX
      F3.0F38F6      ADOX             Gy,Ey      cpuid=ADX
      66.0F3A08      ROUNDPS          Vx,Wx,Ib
      66.0F3A09      ROUNDPD          Vx,Wx,Ib
      66.0F3A0A      ROUNDSS          Vd,Wd,Ib
      66.0F3A0B      ROUNDSD          Vq,Wq,Ib
      66.0F3A0C      BLENDPS          Vx,Wx,Ib
      66.0F3A0D      BLENDPD          Vx,Wx,Ib
      66.0F3A0E      PBLENDW          Vx,Wx,Ib
      NP.0F3A0F      PALIGNR          Pq,Qq,Ib
      66.0F3A0F      PALIGNR          Vx,Wx,Ib
      66.0F3A14      PEXTRB           Eb,Vx,Ib
      66.0F3A15      PEXTRW           Ew,Vx,Ib
      66.0F3A16      PEXTRD           Ey,Vx,Ib
      66.0F3A17      EXTRACTPS        Ed,Vx,Ib
      66.0F3A20      PINSRB           Vx,Eb,Ib
      66.0F3A21      INSERTPS         Vx,Wd,Ib
      66.0F3A22      PINSRD           Vx,Ey,Ib
      66.0F3A40      DPPS             Vx,Wx,Ib
      66.0F3A41      DPPD             Vx,Wx,Ib
      66.0F3A42      MPSADBW          Vx,Wx,Ib
      66.0F3A60      PCMPESTRM        Vx,Wx,Ib
      66.0F3A61      PCMPESTRI        Vx,Wx,Ib
      66.0F3A62      PCMPISTRM        Vx,Wx,Ib
      66.0F3A63      PCMPISTRI        Vx,Wx,Ib
      """;

  private InstructionRows() {}
}
