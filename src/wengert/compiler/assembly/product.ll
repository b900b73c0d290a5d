; Products of matrices by BLAS: of two, of a part of their rows or columns, or of each two of a stack.

; What BLAS is called with stands in `numbers`, in BLAS's own terms, each number in the first bytes of a word; the row
; has the places of its a, b and c. With axes, `begin` to `end` is a part of the outermost one, else of what is cut.
define void @product(ptr %function, ptr %numbers, ptr %pointers, ptr %row, i64 %begin, i64 %end) {
start:
  %a = call ptr @matrix(ptr %pointers, ptr %row, i64 0)
  %b = call ptr @matrix(ptr %pointers, ptr %row, i64 1)
  %c = call ptr @matrix(ptr %pointers, ptr %row, i64 2)
  %part = alloca i32
  %length = sub i64 %end, %begin
  %short = trunc i64 %length to i32
  store i32 %short, ptr %part
  %cut = field i64 product.cut %numbers
  %m.whole = getelementptr i64, ptr %numbers, i64 ${product.m}
  %n.whole = getelementptr i64, ptr %numbers, i64 ${product.n}
  %cuts.m = icmp eq i64 %cut, ${cuts_m}
  %cuts.n = icmp eq i64 %cut, ${cuts_n}
  %m = select i1 %cuts.m, ptr %part, ptr %m.whole
  %n = select i1 %cuts.n, ptr %part, ptr %n.whole
  %a.to = call ptr @ahead(ptr %numbers, ptr %a, i64 %begin, i64 ${product.a_along})
  %b.to = call ptr @ahead(ptr %numbers, ptr %b, i64 %begin, i64 ${product.b_along})
  %c.to = call ptr @ahead(ptr %numbers, ptr %c, i64 %begin, i64 ${product.c_along})
  %axes = field i64 product.axes %numbers
  %single = icmp eq i64 %axes, 0
  br i1 %single, label %one, label %stack
one:
  call void @multiply(ptr %function, ptr %numbers, ptr %m, ptr %n, ptr %a.to, ptr %b.to, ptr %c.to)
  ret void
stack:
  %inner = field i64 product.inner %numbers
  %first = mul i64 %begin, %inner
  %last = mul i64 %end, %inner
  br label %item
item:
  %i = phi i64 [%first, %stack], [%i.next, %multiply]
  br label %axis
axis:
  %k = phi i64 [%axes, %item], [%k.less, %axis]
  %rest = phi i64 [%i, %item], [%rest.next, %axis]
  %a.k = phi ptr [%a, %item], [%a.next, %axis]
  %b.k = phi ptr [%b, %item], [%b.next, %axis]
  %c.k = phi ptr [%c, %item], [%c.next, %axis]
  %k.less = sub i64 %k, 1
  %word = mul i64 %k.less, ${axis}
  %behind = add i64 %word, ${product}
  %at = getelementptr i64, ptr %numbers, i64 %behind
  %extent = field i64 axis.extent %at
  %position = urem i64 %rest, %extent
  %rest.next = udiv i64 %rest, %extent
  %a.next = call ptr @ahead(ptr %at, ptr %a.k, i64 %position, i64 ${axis.a})
  %b.next = call ptr @ahead(ptr %at, ptr %b.k, i64 %position, i64 ${axis.b})
  %c.next = call ptr @ahead(ptr %at, ptr %c.k, i64 %position, i64 ${axis.c})
  %more.axes = icmp ne i64 %k.less, 0
  br i1 %more.axes, label %axis, label %multiply
multiply:
  call void @multiply(ptr %function, ptr %numbers, ptr %m, ptr %n, ptr %a.next, ptr %b.next, ptr %c.next)
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, %last
  br i1 %more, label %item, label %done
done:
  ret void
}

; The place that a row's pair of a pointer's number and an offset stands for.
define ptr @matrix(ptr %pointers, ptr %row, i64 %k) {
  %pair = getelementptr { i64, i64 }, ptr %row, i64 %k
  %number = load i64, ptr %pair
  %offset.at = getelementptr i64, ptr %pair, i64 1
  %offset = load i64, ptr %offset.at
  %pointer.at = getelementptr ptr, ptr %pointers, i64 %number
  %pointer = load ptr, ptr %pointer.at
  %place = getelementptr i8, ptr %pointer, i64 %offset
  ret ptr %place
}

; A pointer so many steps ahead, of as many bytes as a word of the record says.
define ptr @ahead(ptr %record, ptr %pointer, i64 %count, i64 %word) {
  %step.at = getelementptr i64, ptr %record, i64 %word
  %step = load i64, ptr %step.at
  %bytes = mul i64 %count, %step
  %place = getelementptr i8, ptr %pointer, i64 %bytes
  ret ptr %place
}

; One product: c = a b, or that of a matrix a and a vector b, whose elements lie ldb apart.
define void @multiply(ptr %function, ptr %numbers, ptr %m, ptr %n, ptr %a, ptr %b, ptr %c) {
start:
  %turned.a = getelementptr i64, ptr %numbers, i64 ${product.turned_a}
  %turned.b = getelementptr i64, ptr %numbers, i64 ${product.turned_b}
  %k = getelementptr i64, ptr %numbers, i64 ${product.k}
  %one = getelementptr i64, ptr %numbers, i64 ${product.one}
  %zero = getelementptr i64, ptr %numbers, i64 ${product.zero}
  %lda = getelementptr i64, ptr %numbers, i64 ${product.lda}
  %ldb = getelementptr i64, ptr %numbers, i64 ${product.ldb}
  %ldc = getelementptr i64, ptr %numbers, i64 ${product.ldc}
  %vector = field i64 product.vector %numbers
  %is.vector = icmp ne i64 %vector, 0
  br i1 %is.vector, label %gemv, label %gemm
gemm:
  call void %function(ptr %turned.a, ptr %turned.b, ptr %m, ptr %n, ptr %k, ptr %one, ptr %a, ptr %lda, ptr %b, ptr %ldb, ptr %zero, ptr %c, ptr %ldc)
  ret void
gemv:
  call void %function(ptr %turned.a, ptr %m, ptr %n, ptr %one, ptr %a, ptr %lda, ptr %b, ptr %ldb, ptr %zero, ptr %c, ptr %ldc)
  ret void
}
