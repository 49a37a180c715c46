# Fills every register with a pattern in 64-bit mode, and then looks at them for ever: general
# registers, flags, segment and control registers, descriptor tables, MSRs, debug registers, x87,
# MMX and SSE state. After each 64 looks it prints the next letter of A to P. What is not as it was
# left ends the machine by the debug exit port, with the number of the look that saw it.
.code16
.intel_syntax noprefix
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov di, 0x1000          # page tables: one page of 2 MiB at 0
  mov cx, 0x1800
  xor ax, ax
  rep stosw
  mov dword ptr [0x1000], 0x2003
  mov dword ptr [0x2000], 0x3003
  mov dword ptr [0x3000], 0x83
  lgdt cs:[gdtr]
  mov eax, 0x620          # PAE, OSFXSR, OSXMMEXCPT
  mov cr4, eax
  mov eax, 0x1000
  mov cr3, eax
  mov ecx, 0xC0000080
  mov eax, 0x901          # LME, NXE, SCE
  xor edx, edx
  wrmsr
  mov eax, 0x80000033     # PG, NE, ET, MP, PE
  mov cr0, eax
  .byte 0x66, 0xEA        # far jump to selector 8
  .long 0x10000 + long_mode
  .word 8

gdtr:
  .word 0x5F
  .long 0x10000 + gdt
  .balign 8
gdt:
  .quad 0
  .quad 0x00AF9B000000FFFF  # 08 code
  .quad 0x00CF93000000FFFF  # 10 data
  .quad 0x00CFF3000000FFFF  # 18 data of ring 3
  .quad 0x00CFF1000000FFFF  # 20 the same, read-only
  .quad 0
  .quad 0x0000890010000067  # 30 task state at 0x1000.. of no use but to be loaded
  .quad 0
  .quad 0x000082002000000F  # 40 local descriptor table
  .quad 0
  .quad 0x00CFF5000000FFFF  # 50 data of ring 3, expand down, read-only
  .quad 0

.code64
long_mode:
  mov ax, 0x10
  mov ss, ax
  mov ax, 0x1B
  mov ds, ax
  mov ax, 0x23
  mov es, ax
  mov ax, 0x10
  mov fs, ax
  mov ax, 0x53
  mov gs, ax
  mov ax, 0x30
  ltr ax
  mov ax, 0x40
  lldt ax
  mov rsp, 0x7000
  lidt [rip + idtr]
  lea rsi, [rip + msrs]
set_msr:
  mov ecx, [rsi]
  jrcxz msrs_set
  mov eax, [rsi + 4]
  mov edx, [rsi + 8]
  wrmsr
  add rsi, 12
  jmp set_msr
msrs_set:
  mov rax, 0x123456789ABC
  mov cr2, rax
  mov eax, 5
  mov cr8, rax
  mov rax, 0x1111
  mov dr0, rax
  mov rax, 0x2222
  mov dr1, rax
  mov rax, 0x7FFF33333333
  mov dr2, rax
  mov rax, 0x44444444
  mov dr3, rax
  mov rax, 0xFFFF0FF1
  mov dr6, rax
  mov rax, 0x000D0401     # DR0: stores of 4 bytes at 0x1111, which never come
  mov dr7, rax
  fninit
  fldcw [rip + control_word]
  fldpi
  fld1
  fldl2e
  fldlg2
  fldz
  fldln2
  fchs
  ldmxcsr [rip + mxcsr]
  lea rsi, [rip + patterns]
  movdqu xmm0, [rsi]
  movdqu xmm1, [rsi + 1]
  movdqu xmm2, [rsi + 2]
  movdqu xmm3, [rsi + 3]
  movdqu xmm4, [rsi + 4]
  movdqu xmm5, [rsi + 5]
  movdqu xmm6, [rsi + 6]
  movdqu xmm7, [rsi + 7]
  movdqu xmm8, [rsi + 8]
  movdqu xmm9, [rsi + 9]
  movdqu xmm10, [rsi + 10]
  movdqu xmm11, [rsi + 11]
  movdqu xmm12, [rsi + 12]
  movdqu xmm13, [rsi + 13]
  movdqu xmm14, [rsi + 14]
  movdqu xmm15, [rsi + 15]
  call look_at_system
  call keep_system
  fxsave64 [0x9000]
  mov dword ptr [0x8000], 0
  rdtsc
  mov [0x8008], eax
  mov [0x800C], edx
  mov rsp, 0x6F00

again:
  # General registers and flags.
  mov rax, 0x00A1A2A3A4A5A6A7
  mov rbx, 0x10B1B2B3B4B5B6B7
  mov rcx, 0x20C1C2C3C4C5C6C7
  mov rdx, 0x30D1D2D3D4D5D6D7
  mov rsi, 0x40E1E2E3E4E5E6E7
  mov rdi, 0x50F1F2F3F4F5F6F7
  mov rbp, 0x6001020304050607
  mov r8, 0x7011121314151617
  mov r9, 0x8021222324252627
  mov r10, 0x9031323334353637
  mov r11, 0xA041424344454647
  mov r12, 0xB051525354555657
  mov r13, 0xC061626364656667
  mov r14, 0xD071727374757677
  mov r15, 0xE081828384858687
  push 0x240CD7           # ID, AC, DF, OF, SF, ZF, AF, PF, CF
  popfq
  .rept 50
  nop
  .endr
  pushfq
  push rax
  push rbx
  push rcx
  push rdx
  push rsi
  push rdi
  push rbp
  push r8
  push r9
  push r10
  push r11
  push r12
  push r13
  push r14
  push r15
  cld
  mov al, 1
  cmp rsp, 0x6F00 - 128
  jne wrong
  cmp qword ptr [rsp + 120], 0x240CD7
  jne wrong
  xor ecx, ecx
next_general:
  lea rsi, [rip + general]
  mov rdx, [rsi + rcx * 8]
  cmp [rsp + rcx * 8], rdx
  mov al, 2
  jne wrong
  inc ecx
  cmp ecx, 15
  jne next_general
  mov rsp, 0x6F00

  # x87 and SSE.
  fxsave64 [0x9200]
  mov al, 3
  mov rbx, [0x9000]
  mov rdx, [0x9200]
  shl rbx, 16             # without the opcode
  shl rdx, 16
  cmp rbx, rdx
  jne wrong
  mov ebx, [0x9000 + 24]  # MXCSR
  cmp ebx, [0x9200 + 24]
  jne wrong
  mov esi, 0x9000 + 32
  mov edi, 0x9200 + 32
  mov ecx, (416 - 32) / 8
compare_fpu:
  mov rbx, [rsi]
  cmp rbx, [rdi]
  jne wrong
  add esi, 8
  add edi, 8
  dec ecx
  jnz compare_fpu

  # The system's registers.
  call look_at_system
  mov esi, 0xA000
  mov edi, 0xA400
  mov ecx, 128
  mov al, 4
compare_system:
  mov rbx, [rsi]
  cmp rbx, [rdi]
  jne wrong
  add esi, 8
  add edi, 8
  dec ecx
  jnz compare_system

  # Time goes on, and only on.
  rdtsc
  shl rdx, 32
  mov eax, eax
  or rdx, rax
  mov al, 5
  cmp rdx, [0x8008]
  jb wrong
  mov [0x8008], rdx

  inc dword ptr [0x8000]
  mov eax, [0x8000]
  test eax, 63
  jnz again
  shr eax, 6
  dec eax
  and eax, 15
  add eax, 65
  mov dx, 0x3F8
  out dx, al
  jmp again

wrong:
  out 0xF4, al
  hlt

# Writes all that can be read to 0xA400.
look_at_system:
  mov edi, 0xA400
  mov ecx, 128
  xor eax, eax
  cld
clear:
  mov [rdi], rax
  add edi, 8
  dec ecx
  jnz clear
  mov edi, 0xA400
  mov [rdi], ds
  mov [rdi + 2], es
  mov [rdi + 4], fs
  mov [rdi + 6], gs
  mov [rdi + 8], ss
  mov [rdi + 10], cs
  str [rdi + 12]
  sldt [rdi + 14]
  sgdt [rdi + 16]
  sidt [rdi + 32]
  mov rax, cr0
  mov [rdi + 48], rax
  mov rax, cr2
  mov [rdi + 56], rax
  mov rax, cr3
  mov [rdi + 64], rax
  mov rax, cr4
  mov [rdi + 72], rax
  mov rax, cr8
  mov [rdi + 80], rax
  mov rax, dr0
  mov [rdi + 88], rax
  mov rax, dr1
  mov [rdi + 96], rax
  mov rax, dr2
  mov [rdi + 104], rax
  mov rax, dr3
  mov [rdi + 112], rax
  mov rax, dr6
  mov [rdi + 120], rax
  mov rax, dr7
  mov [rdi + 128], rax
  add edi, 136
  lea rsi, [rip + msrs]
read_msr:
  mov ecx, [rsi]
  jrcxz msrs_read
  rdmsr
  mov [rdi], eax
  mov [rdi + 4], edx
  add edi, 8
  add rsi, 12
  jmp read_msr
msrs_read:
  mov ecx, 0x1B           # IA32_APIC_BASE and EFER, which are as they are
  rdmsr
  mov [rdi], eax
  mov ecx, 0xC0000080
  rdmsr
  mov [rdi + 8], eax
  lar eax, [rip + code_selector]
  and eax, 0xFFF0FFFF     # Intel leaves bits of the limit in it, AMD doesn't
  mov [rdi + 16], eax
  ret

keep_system:
  mov esi, 0xA400
  mov edi, 0xA000
  mov ecx, 128
keep:
  mov rax, [rsi]
  mov [rdi], rax
  add esi, 8
  add edi, 8
  dec ecx
  jnz keep
  ret

  .balign 4
code_selector:
  .word 8
control_word:
  .word 0x0B7F            # round up, 64 bits, all masked
mxcsr:
  .long 0xDFA5            # FZ, round to zero, all masked, some raised
idtr:
  .word 0x0FFF
  .quad 0x5000
patterns:
  .byte 0x3A, 0x91, 0xF7, 0x08, 0x5C, 0xE2, 0x66, 0x1D, 0x84, 0xBB, 0x29, 0x70, 0xD5, 0x4E, 0xC3
  .byte 0x17, 0xA8, 0x6F, 0x95, 0x02, 0xDC, 0x48, 0xB1, 0x3E, 0xE7, 0x5A, 0x0C, 0x93, 0x61, 0xF8, 0x2D
  .balign 8
general:
  .quad 0xE081828384858687, 0xD071727374757677, 0xC061626364656667, 0xB051525354555657
  .quad 0xA041424344454647, 0x9031323334353637, 0x8021222324252627, 0x7011121314151617
  .quad 0x6001020304050607, 0x50F1F2F3F4F5F6F7, 0x40E1E2E3E4E5E6E7, 0x30D1D2D3D4D5D6D7
  .quad 0x20C1C2C3C4C5C6C7, 0x10B1B2B3B4B5B6B7, 0x00A1A2A3A4A5A6A7
# Index and value; the last is 0.
msrs:
  .long 0x174, 0x33, 0
  .long 0x175, 0x55667788, 0x7FFF
  .long 0x176, 0x99AABBCC, 0xFFFFFFFF
  .long 0x277, 0x00070106, 0x00070105
  .long 0x200, 0x40000006, 0
  .long 0x201, 0xE0000800, 0xFF
  .long 0x250, 0x06060606, 0x06060606
  .long 0x2FF, 0xC06, 0
  .long 0xC0000081, 0, 0x00130008
  .long 0xC0000082, 0x81234567, 0xFFFFFFFF
  .long 0xC0000083, 0x89ABCDEF, 0xFFFFFFFF
  .long 0xC0000084, 0x47700, 0
  .long 0xC0000100, 0x11223344, 0x5566
  .long 0xC0000101, 0x22334455, 0xFFFF8000
  .long 0xC0000102, 0x33445566, 0x7788
  .long 0xC0000103, 0xABCDEF01, 0
  .long 0x1A0, 0x1801, 0
  .long 0x8B, 0x1234, 0x5678
  .long 0x3B, 0x1000, 0
  .long 0
