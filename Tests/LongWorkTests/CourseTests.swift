import LongWork
import Testing

@Suite struct CourseTests {
    @Test func `few values are kept as they are`() {
        let course = Course([3, 1, 2])
        #expect(course.points.map(\.step) == [1, 2, 3])
        #expect(course.points.map(\.value) == [3, 1, 2])
        #expect(course.last == 2)
        #expect(Course().last == nil && Course().points.isEmpty)
    }

    @Test func `a course of any length is bounded, and its mean is that of all values`() {
        for count in [1, 255, 256, 257, 1000, 100_000] {
            let course = Course((0..<count).map { Double($0) })
            let points = course.points
            #expect(points.count <= Course.limit, "\(count) values")
            #expect(points.count >= min(count, Course.limit / 2), "\(count) values")
            #expect(course.last == Double(count - 1))
            // On a straight line every mean is on the line.
            for point in points { #expect(abs(point.value - (point.step - 1)) < 1e-6) }
            #expect(zip(points, points.dropFirst()).allSatisfy { $0.step < $1.step })
        }
    }

    @Test func `steps may have numbers of their own`() {
        var course = Course()
        course.append(5, step: 1)
        course.append(4, step: 10)
        course.append(3)
        #expect(course.points.map(\.step) == [1, 10, 11])
    }
}
